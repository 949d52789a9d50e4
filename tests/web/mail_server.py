"""A small real SMTP server that keeps what it is sent."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage


class MailServer(socketserver.ThreadingTCPServer):
    """Takes letters from everybody; `said` is what every client has said, but for the letters."""

    allow_reuse_address = True
    daemon_threads = True
    offers_login = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.letters: list[EmailMessage] = []
        self.said: list[str] = []

    @property
    def url(self) -> str:
        """What STADDLE_MAIL_URL is to be."""
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def next_letter(self, to: str) -> EmailMessage:
        """Wait for a letter to somebody and take it out; fails where none comes."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            for letter in self.letters:
                if letter["To"] == to:
                    self.letters.remove(letter)
                    return letter
            time.sleep(0.02)
        raise AssertionError(f"no letter to {to} has come")


class Talk(socketserver.StreamRequestHandler):
    """One client."""

    server: MailServer

    def handle(self) -> None:
        """Answer as RFC 5321 says."""
        self.reply("220 here")
        while line := self.rfile.readline():
            said = line.decode().strip()
            self.server.said.append(said)
            verb = said.partition(" ")[0].upper()
            if verb == "EHLO":
                self.reply("250-here\r\n250 AUTH PLAIN" if self.server.offers_login else "250 here")
            elif verb == "AUTH":
                self.reply("235 welcome")
            elif verb == "DATA":
                self.reply("354 go on")
                self.keep()
                self.reply("250 kept")
            elif verb == "QUIT":
                self.reply("221 good-bye")
                return
            else:
                self.reply("250 yes")

    def keep(self) -> None:
        """Read a letter to its end."""
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.server.letters.append(message_from_bytes(b"".join(lines), policy=policy.default))

    def reply(self, text: str) -> None:
        """Answer with a line."""
        self.wfile.write(text.encode() + b"\r\n")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Serve for a while."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
