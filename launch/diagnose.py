"""Turns pip's output and the system's errors into the sentence that helps."""

from __future__ import annotations

import errno
import re

# The first match wins, so what is said about the disk or the network comes before the general signs.
_SIGNS = (
    (
        "disk_ran_out",
        r"No space left on device|ENOSPC|not enough space on the disk|WinError 112|Disk quota exceeded",
    ),
    ("long_path", r"Windows Long Path support"),
    ("damaged", r"DO NOT MATCH THE HASHES|hash-mismatch|BadZipFile|Wheel .* is invalid|has an invalid wheel"),
    ("certificate", r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|ssl-verification-failed"),
    (
        "network",
        r"Failed to establish a new connection|Name or service not known|Temporary failure in name resolution"
        r"|nodename nor servname|getaddrinfo failed|No address associated with hostname"
        r"|Network is unreachable|No route to host|Connection (?:refused|aborted|reset|was reset)"
        r"|ConnectionError|ConnectionResetError|ConnectTimeoutError|ReadTimeoutError|NameResolutionError"
        r"|MaxRetryError|Max retries exceeded|RemoteDisconnected|ProtocolError|IncompleteRead"
        r"|[Tt]imed out|ProxyError|Cannot connect to proxy|SSLError|connection-(?:failed|timeout)"
        r"|Failed to connect to|incomplete-download|not enough bytes were received"
        r"|HTTP error 5\d\d|\b5\d\d Server Error",
    ),
    ("in_use", r"WinError 32\b|being used by another process"),
    ("read_only", r"Permission denied|Errno 13\b|Read-only file system|WinError 5\b|Access is denied"),
    (
        "no_build",
        # When a pinned version is missing, pip calls the pin and the wish for it a conflict.
        r"No matching distribution found|Could not find a version|is not a supported wheel on this platform"
        r"|The user requested \(constraint\)",
    ),
)
_ERRNO = {
    errno.ENOSPC: "disk_ran_out",
    errno.EDQUOT: "disk_ran_out",
    errno.EACCES: "read_only",
    errno.EPERM: "read_only",
    errno.EROFS: "read_only",
}


def classify(output: str) -> str:
    """Return the key of the sentence for pip's output, or nothing when the cause is unknown."""
    found = _first_sign(_errors(output))
    # Without an index pip only says that it found no version; the reason stands in its warnings.
    if found in ("", "no_build"):
        return _first_sign(_warnings(output)) or found
    return found


def classify_error(error: OSError) -> str:
    """Return the key of the sentence for an error of the system, or nothing."""
    if getattr(error, "winerror", None) == 32:
        return "in_use"
    return _ERRNO.get(error.errno or 0, "")


def _first_sign(text: str) -> str:
    return next((key for key, pattern in _SIGNS if re.search(pattern, text)), "")


def _errors(output: str) -> str:
    match = re.search(r"^\s*(?:ERROR|error|× )", output, re.MULTILINE)
    return output[match.start() :] if match else output


def _warnings(output: str) -> str:
    return "\n".join(line for line in output.splitlines() if line.lstrip().startswith("WARNING: Retrying"))
