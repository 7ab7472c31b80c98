"""OAuth 1 (RFC 5849) as MAAS's clients sign: PLAINTEXT or HMAC-SHA1, with clock skew and nonces checked."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from oauthlib.common import urldecode
from oauthlib.oauth1.rfc5849 import signature
from oauthlib.oauth1.rfc5849.utils import escape, parse_authorization_header

from hostloom.model.errors.permissions import NotAuthenticated

#: A client's clock may be off by this, as with MAAS.
SKEW_S = 300
HMAC = "HMAC-SHA1"
#: The one kind of body whose fields a signature covers.
FORM = "application/x-www-form-urlencoded"
_NEEDED = (
    "oauth_consumer_key",
    "oauth_token",
    "oauth_signature_method",
    "oauth_signature",
    "oauth_timestamp",
    "oauth_nonce",
)


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as its signature covers it."""

    method: str
    #: Schemes and hosts that the client may have had in its URL: a proxy may hide them.
    bases: tuple[str, ...]
    #: As on the request line, not decoded.
    path: str
    query: str
    authorization: str
    content_type: str
    body: bytes
    #: The fields of a PUT may be left out of the signature.
    unsigned_put: bool = True

    @property
    def has_form(self) -> bool:
        """Whether the body is of the kind whose fields are signed."""
        return self.content_type.partition(";")[0].strip().lower() == FORM


@dataclass(frozen=True, slots=True)
class OAuthParameters:
    """What the Authorization header says."""

    consumer_key: str
    token_key: str
    method: str
    signature: str
    timestamp: int
    nonce: str


class Nonces:
    """Nonces of the last minutes, of this server process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, int, str], None] = {}

    def use(self, claim: OAuthParameters, now: float) -> None:
        """Take a claim's nonce; NotAuthenticated when it was used before."""
        key = (claim.token_key, claim.timestamp, claim.nonce)
        with self._lock:
            self._forget(now)
            if key in self._seen:
                raise NotAuthenticated("the nonce was used before")
            self._seen[key] = None

    def give_back(self, claim: OAuthParameters) -> None:
        """Let a nonce be used again: clients repeat a request that met a 503 as it was."""
        with self._lock:
            self._seen.pop((claim.token_key, claim.timestamp, claim.nonce), None)

    def _forget(self, now: float) -> None:
        """Drop the oldest ones that their timestamps alone would refuse."""
        old = []
        for key in self._seen:
            if key[1] >= now - SKEW_S:
                break
            old.append(key)
        for key in old:
            del self._seen[key]


def read_claim(authorization: str, now: float) -> OAuthParameters:
    """The claim of an Authorization header; NotAuthenticated says what is wrong with it."""
    try:
        found = {k: unquote(v) for k, v in parse_authorization_header(authorization)}
    except (ValueError, IndexError):
        raise NotAuthenticated("the Authorization header is not OAuth 1") from None
    if missing := [name for name in _NEEDED if not found.get(name)]:
        raise NotAuthenticated(f"the Authorization header has no {missing[0]}")
    stamp = found["oauth_timestamp"]
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise NotAuthenticated("the timestamp is not a number of seconds")
    if abs(int(stamp) - now) > SKEW_S:
        raise NotAuthenticated(f"the timestamp is off by more than {SKEW_S} seconds: set the clock")
    if found.get("oauth_version", "1.0") != "1.0":
        raise NotAuthenticated("the OAuth version is not 1.0")
    return OAuthParameters(
        found["oauth_consumer_key"],
        found["oauth_token"],
        found["oauth_signature_method"],
        found["oauth_signature"],
        int(stamp),
        found["oauth_nonce"],
    )


def verify(request: Signed, claim: OAuthParameters, secret: str) -> None:
    """Compare the signature with the one that the secret gives; NotAuthenticated."""
    if claim.method == "PLAINTEXT":
        wanted = [signature.sign_plaintext("", secret)]
    elif claim.method == HMAC:
        try:
            wanted = list(_hmacs(request, secret))
        except ValueError:
            raise NotAuthenticated("the address or the body is not url-encoded as OAuth needs it") from None
    else:
        raise NotAuthenticated("the signature method is neither PLAINTEXT nor HMAC-SHA1")
    if not any(hmac.compare_digest(each.encode(), claim.signature.encode()) for each in wanted):
        raise NotAuthenticated("the signature is not the key's")


def _hmacs(request: Signed, secret: str) -> Iterator[str]:
    headers = {"Authorization": request.authorization}
    bare = signature.collect_parameters(request.query, [], headers)
    ways = [bare]
    if request.has_form:
        fields = _fields(request.body)
        full = [*bare, *fields]
        # One client (maas-client-go) leaves the fields of a PUT out of what it signs.
        ways = [full, bare] if fields and request.method == "PUT" and request.unsigned_put else [full]
    elif request.body.strip():
        raise NotAuthenticated(f"the signature covers no body of this kind: send {FORM}")
    for base in request.bases:
        for params in ways:
            text = signature.signature_base_string(
                request.method,
                signature.base_string_uri(base + request.path),
                signature.normalize_parameters(params),
            )
            yield _hmac_sha1(text, secret)


def _hmac_sha1(text: str, secret: str) -> str:
    """RFC 5849 §3.4.2; the consumer's secret, the first part of the key, is always empty."""
    digest = hmac.new(f"&{escape(secret)}".encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def _fields(body: bytes) -> list[tuple[str, str]]:
    return urldecode(body.decode("latin-1")) if body.strip() else []
