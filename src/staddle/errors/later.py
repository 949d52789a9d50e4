"""TooManyRequests and Unavailable: the same request may be done later."""

from staddle.errors.tree import TooManyRequests, Unavailable


class TooManyStreams(TooManyRequests):
    """There are too many open streams of events here; please read the feed, or come again a little later."""


class TooManyAttempts(TooManyRequests):
    """There were too many attempts; please wait a little before the next one."""


class MailNotSet(Unavailable):
    """This desk sends no e-mail; please write to support instead."""


class NoSuchProgram(Unavailable):
    """A program of PostgreSQL is needed that is not installed here; nothing was changed."""


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached; please try again later."""

    @property
    def may_have_moved(self) -> bool:
        """A connection may be lost after the commit was sent and before its answer came; the sentence says so."""
        return "maybe" in self.message


class SourceUnreadable(Unavailable):
    """The rate source could not be read; no rate was changed."""


class SourceStale(Unavailable):
    """The figures of the rate source are too old; no rate was changed."""


class Stopping(Unavailable):
    """The server is stopping or has more to do than it can; nothing was moved. Please repeat it in a moment."""


class SignInProviderUnavailable(Unavailable):
    """The other account's provider cannot be reached; please try again later."""
