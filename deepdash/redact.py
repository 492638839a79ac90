"""Takes tokens and passwords out of text before it is logged, stored or shown."""

import re

# A JWT (also an unsigned one, whose last part is empty), and what follows the words that announce a secret.
_JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*")
_AFTER_WORD = re.compile(
    r"(?i)(\b\w*(?:bearer|access_token|refresh_token|id_token|client_secret|code_verifier|password|token)\b"
    r"[\"']?\s*[:= ]\s*[\"']?)(?!(?:token|must|is|was|has|can|and|or|of|for|at|in|to|the)\b)([^\s\"'&,;<>}]{6,})"
)
_INVALID_TOKEN = re.compile(r"(?i)(invalid token:?\s+)(\S+)")  # the orchestrator echoes it (contract 1.3)
_AUTHORIZATION = re.compile(r"(?i)(\bauthorization[\"']?\s*[:=]\s*[\"']?\w+\s+)[^\s\"']+")  # whatever its scheme
# Of an address: user and password, or a token in the place of a user.
_USER_INFO = re.compile(r"(://)(?:[^/\s:@]*:[^/\s@]+|[^/\s:@]{20,})@")
_CALLBACK = re.compile(r"(/callback/[\w-]+/)[^\s\"'<>]+")  # an address of ours that holds a secret
HIDDEN = "[hidden]"


def redact(text: str) -> str:
    """The text with anything that looks like a credential replaced by ``[hidden]``."""
    text = _JWT.sub(HIDDEN, text)
    text = _AUTHORIZATION.sub(rf"\1{HIDDEN}", text)
    text = _USER_INFO.sub(rf"\1{HIDDEN}@", text)
    text = _INVALID_TOKEN.sub(rf"\1{HIDDEN}", text)
    text = _CALLBACK.sub(rf"\1{HIDDEN}", text)
    return _AFTER_WORD.sub(rf"\1{HIDDEN}", text)
