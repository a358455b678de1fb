// Pins the Prometheus operator, whose CustomResourceDefinitions judge the monitors and rules of deploy/.
module spotkeeper.test/monitoring

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0 // indirect
