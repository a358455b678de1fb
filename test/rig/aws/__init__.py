"""AWS on loopback: moto, widened where it only keeps state. Begin with ecs_rig.py; server.py is the front door."""
