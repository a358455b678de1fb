"""A TLS front for the API server with a certificate of its own, which can be changed while clients are connected."""

import asyncio
import contextlib
import pathlib
import ssl
import threading

Certificate = tuple[pathlib.Path, pathlib.Path]


class TlsProxy:
    """Listens on `url` from the constructor to `stop()`, and passes all bytes on to 127.0.0.1:`port`."""

    def __init__(self, port: int, upstream_ca: pathlib.Path, certificate: Certificate):
        self._port = port
        self._upstream = ssl.create_default_context(cafile=str(upstream_ca))
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._listening_on = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.show(certificate)
        self.url = f"https://127.0.0.1:{self._listening_on}"

    def show(self, certificate: Certificate) -> None:
        """This certificate and key from now on; who is connected is cut off."""
        self._call(self._listen(certificate))

    def stop(self) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _call(self, coroutine) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self, certificate: Certificate) -> None:
        await self._close()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, certificate))
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._listening_on, ssl=context)
        self._listening_on = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # either side's way to leave
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port, ssl=self._upstream)
            both = {writer, far_writer}
            self._writers |= both
            try:
                await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))
            finally:
                self._writers -= both

    @staticmethod
    async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
