"""Something hostile uploads point at: a folder and a web server that notice every visitor."""

import ctypes
import os
import struct
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IN_OPEN, IN_NONBLOCK = 0x20, os.O_NONBLOCK


class Canary:
    """path: a real clip that nothing may open. url: the same on a web server of this machine."""

    def __init__(self, path, port, opened, asked):
        self.path, self.url = path, f"http://127.0.0.1:{port}/{path.name}"
        self.port, self._opened, self.asked = port, opened, asked

    def visitors(self):
        """Names of files opened in the folder and addresses asked for since the last look."""
        found = [*self._opened(), *self.asked]
        self.asked.clear()
        return found


@contextmanager
def watched(path):
    """A Canary around the file `path`, alone in its folder. Files are watched on Linux only."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fd, opened = _watch(path.parent)
    try:
        yield Canary(path, server.server_address[1], opened, asked)
    finally:
        server.shutdown()
        server.server_close()
        if fd is not None:
            os.close(fd)


def _watch(folder):
    """(descriptor, function that lists the files of the folder opened since its last call)."""
    if not sys.platform.startswith("linux"):
        return None, list
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(IN_NONBLOCK)
    assert fd >= 0
    assert libc.inotify_add_watch(fd, os.fsencode(folder), IN_OPEN) >= 0

    def opened():
        names = []
        while True:
            try:
                events = os.read(fd, 65536)
            except BlockingIOError:
                return names
            while events:
                length = struct.unpack("iIII", events[:16])[3]
                names.append(events[16 : 16 + length].rstrip(b"\0").decode())
                events = events[16 + length :]

    return fd, opened
