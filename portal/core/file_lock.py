"""A lock between processes with a deadline, which the kernel's own does not have."""

from __future__ import annotations

import fcntl
import os
import threading
from weakref import finalize


class FileLock:
    """`flock` on a file of its own, for one thread at a time; the callers see to that.

    The kernel wakes a waiting thread at once and frees the lock of a process that dies, but it knows no deadline. So
    where the lock is taken, a thread of our own waits for it and hands it over, or back if nobody wants it any more.
    """

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        finalize(self, os.close, self._file)
        self._state = threading.Condition()
        self._is_waiting = False
        self._is_wanted = False
        self._is_handed = False

    def acquire(self, seconds: float | None) -> bool:
        """Take the lock within so many seconds, None without an end. Returns False if it did not come to that."""
        with self._state:
            if not self._is_waiting:
                if self._take_now():
                    return True
                threading.Thread(target=self._wait, name="file lock", daemon=True).start()
                self._is_waiting = True
            self._is_wanted = True
            try:
                return self._state.wait_for(lambda: self._is_handed, seconds)
            finally:
                self._is_wanted = self._is_handed = False

    def release(self) -> None:
        """Give the lock back."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def _take_now(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        with self._state:
            self._is_waiting = False
            if self._is_wanted:
                self._is_handed = True
                self._state.notify_all()
            else:
                self.release()
