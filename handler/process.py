"""The process of the embedded OPA: light to import, so that OPA loads the policies while the caller imports the rest.

`opa run` is a child on a Unix socket with the engine, the team's policies and their register as bundles. A token made
anew at every start, and the policy in `authz/`, let nobody but the holder of the token ask it for the one thing that it
is for. Its environment holds the token and what Go is told of memory, no more, because a policy can read it. On Linux
it dies with the thread that started it: start it from the main one.
"""

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from handler.bundle import Folder, packed_engine
from handler.errors import OpaUnavailableError, PolicyRefusedError, SettingError
from handler.readings import load

_AUTHZ = Path(__file__).resolve().parent / "authz"
_PR_SET_PDEATHSIG = 1

BODY_BYTES = 16 * 2**20
"""The largest query: OPA refuses a larger one before it reads it, with a token or without."""


class Process:
    """An `opa run` that has been started and may not yet answer: at which address, with which token.

    `policies` is the team's folder, `executable` a path or a name on PATH. Raises `SettingError` when there is no such
    executable, `PolicyFolderError` when the folder cannot be loaded. `policy` is the folder's name.
    `memory` is what the whole function has, in MB: half of it is OPA's, which then collects its garbage less often, and
    in time where the policies are many. Of an unknown memory (0) it takes what Go takes by itself. Without it OPA is a
    shell's: it collects no garbage before it has a gigabyte, and most runs end before.
    """

    def __init__(self, policies: str, executable: str = "opa", memory: int | None = None) -> None:
        path = shutil.which(executable)
        if path is None:
            raise SettingError("OPA_PATH", f"is {executable!r}, which is no executable: name the `opa` to run")
        folder = Folder(policies)
        folder.check()
        register = load(folder)
        self._bundles = [packed_engine(), folder.pack(), *([register] if register else [])]
        self._command = [path, "run", "--server", "--authentication=token", "--authorization=basic"]
        self._command += ["--skip-version-check", "--log-level=error", "--log-format=json"]
        self._command += [f"--set=server.decoding.max_length={BODY_BYTES}"]
        self._memory = {"GOGC": "400", "GOMEMLIMIT": f"{memory // 2}MiB"} if memory else {}
        if memory is None:
            self._memory = {"GOGC": "off", "GOMEMLIMIT": "1024MiB"}
        self.policies = policies
        self.policy = folder.name
        self.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def start(self) -> None:
        """Start it (again), at another address and with another token. Raises `OpaUnavailableError`."""
        self.started = time.monotonic()
        paths = [bundle.path for bundle in self._bundles]
        descriptors = [descriptor for bundle in self._bundles for descriptor in bundle.descriptors]
        try:
            self.address, self.token = _address(), secrets.token_hex(32)
            mode = [] if self.address.startswith("@") else ["--unix-socket-perm=600"]
            self._process = subprocess.Popen(
                [*self._command, f"--addr=unix://{self.address}", *mode, "--bundle", *paths, str(_AUTHZ)],
                pass_fds=descriptors,
                env={"OPA_TOKEN": self.token, **self._memory},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                preexec_fn=dying_with_its_parent(),  # noqa: PLW1509  a thread of the parent can hold no lock of prctl
            )
        except OSError as error:
            msg = f"OPA cannot be started: {error}"
            raise OpaUnavailableError(msg) from error
        self._said = self._process.stdout
        if self._said:
            os.set_blocking(self._said.fileno(), False)

    def check(self) -> None:
        """Do nothing while it runs; raise why it ended when it has.

        `PolicyRefusedError` has OPA's own message, `OpaUnavailableError` the signal that ended it.
        """
        status = self._process.poll()
        if status is None:
            return
        if status < 0:
            msg = f"OPA was ended by {signal.Signals(-status).name} while it started; it may need more memory"
            raise OpaUnavailableError(msg)
        raise PolicyRefusedError(self.said().strip() or f"OPA ended with status {status} and said nothing")

    def listens(self) -> bool:
        """Tell whether anybody listens at its address: in a hundredth of the time that a request takes to fail."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(0)
            return probe.connect_ex(socket_name(self.address)) == 0

    def said(self) -> str:
        """Give what it has logged since the last call; it must be called, or the pipe fills and OPA stops."""
        if self._said is None or self._said.closed:
            return ""
        return (self._said.read() or b"").decode(errors="replace")

    def stop(self) -> None:
        """End it, whatever state it is in."""
        self._process.kill()
        self._process.wait()
        if self._said:
            self._said.close()
        if not self.address.startswith("@"):
            shutil.rmtree(Path(self.address).parent, ignore_errors=True)


def socket_name(address: str) -> str:
    """Return what the system calls the socket of an address."""
    return f"\0{address[1:]}" if address.startswith("@") else address


def _address() -> str:
    """Return the path of a socket in a new folder that is ours alone, or a name like `@portcullis-...`.

    The name needs no folder, for where none can be written. Only Linux has it; elsewhere `OSError` says what is wrong.
    """
    folder = None
    try:
        folder = tempfile.mkdtemp(prefix="portcullis-")
        address = f"{folder}/opa.sock"
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(address)
    except OSError:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        if sys.platform != "linux":
            raise
        return f"@portcullis-{secrets.token_hex(16)}"
    return address


def dying_with_its_parent() -> Callable[[], None] | None:
    """Return a `preexec_fn` for a child that is killed when the thread that starts it ends; None off Linux."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
