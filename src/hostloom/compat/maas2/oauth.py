"""OAuth 1 signatures (RFC 5849) of MAAS's clients: PLAINTEXT and HMAC-SHA1, clock skew and nonces."""

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

#: The tolerance for a client's clock, as in MAAS.
SKEW_S = 300
HMAC = "HMAC-SHA1"
#: The only content type whose fields are part of the signature.
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
    """The parts of a request that its signature covers."""

    method: str
    #: Candidates for the scheme and host in the client's URL, which a proxy may hide.
    bases: tuple[str, ...]
    #: As on the request line, not decoded.
    path: str
    query: str
    authorization: str
    content_type: str
    body: bytes
    #: Whether to accept a PUT whose signature omits the fields of its body.
    unsigned_put: bool = True

    @property
    def has_form(self) -> bool:
        """Whether the signature covers the fields of the body."""
        return self.content_type.partition(";")[0].strip().lower() == FORM


@dataclass(frozen=True, slots=True)
class OAuthParameters:
    """The parameters in the Authorization header."""

    consumer_key: str
    token_key: str
    method: str
    signature: str
    timestamp: int
    nonce: str


class Nonces:
    """The nonces that this process received in the last minutes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, int, str], None] = {}

    def use(self, claim: OAuthParameters, now: float) -> None:
        """Record a nonce. Raises NotAuthenticated for a repeated one."""
        key = (claim.token_key, claim.timestamp, claim.nonce)
        with self._lock:
            self._forget(now)
            if key in self._seen:
                raise NotAuthenticated("the nonce has already been used")
            self._seen[key] = None

    def give_back(self, claim: OAuthParameters) -> None:
        """Allow a nonce again, because clients repeat a request unchanged after a 503."""
        with self._lock:
            self._seen.pop((claim.token_key, claim.timestamp, claim.nonce), None)

    def _forget(self, now: float) -> None:
        """Drop nonces whose timestamps are out of tolerance, because `read_claim` refuses these anyway."""
        expired = []
        for key in self._seen:
            if key[1] >= now - SKEW_S:
                break
            expired.append(key)
        for key in expired:
            del self._seen[key]


def read_claim(authorization: str, now: float) -> OAuthParameters:
    """Parse an Authorization header. Raises NotAuthenticated with the reason."""
    try:
        params = {k: unquote(v) for k, v in parse_authorization_header(authorization)}
    except (ValueError, IndexError):
        raise NotAuthenticated("the Authorization header is not OAuth 1") from None
    if missing := [name for name in _NEEDED if not params.get(name)]:
        raise NotAuthenticated(f"the Authorization header has no {missing[0]}")
    timestamp = params["oauth_timestamp"]
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise NotAuthenticated("the timestamp is not a number of seconds")
    if abs(int(timestamp) - now) > SKEW_S:
        raise NotAuthenticated(f"the timestamp is off by more than {SKEW_S} seconds: set the clock")
    if params.get("oauth_version", "1.0") != "1.0":
        raise NotAuthenticated("the OAuth version is not 1.0")
    return OAuthParameters(
        params["oauth_consumer_key"],
        params["oauth_token"],
        params["oauth_signature_method"],
        params["oauth_signature"],
        int(timestamp),
        params["oauth_nonce"],
    )


def verify(request: Signed, claim: OAuthParameters, secret: str) -> None:
    """Verify a signature with the secret of the key. Raises NotAuthenticated if it differs."""
    if claim.method == "PLAINTEXT":
        signatures = [signature.sign_plaintext("", secret)]
    elif claim.method == HMAC:
        try:
            signatures = list(_hmacs(request, secret))
        except ValueError:
            raise NotAuthenticated("the address or the body is not url-encoded as OAuth needs it") from None
    else:
        raise NotAuthenticated("the signature method is neither PLAINTEXT nor HMAC-SHA1")
    if not any(hmac.compare_digest(candidate.encode(), claim.signature.encode()) for candidate in signatures):
        raise NotAuthenticated("the signature does not match the key")


def _hmacs(request: Signed, secret: str) -> Iterator[str]:
    headers = {"Authorization": request.authorization}
    unsigned_form = signature.collect_parameters(request.query, [], headers)
    variants = [unsigned_form]
    if request.has_form:
        fields = _fields(request.body)
        signed_form = [*unsigned_form, *fields]
        # maas-client-go omits the fields of a PUT from its signature.
        variants = (
            [signed_form, unsigned_form]
            if fields and request.method == "PUT" and request.unsigned_put
            else [signed_form]
        )
    elif request.body.strip():
        raise NotAuthenticated(f"the signature covers no body of this kind: send {FORM}")
    for base in request.bases:
        for params in variants:
            text = signature.signature_base_string(
                request.method,
                signature.base_string_uri(base + request.path),
                signature.normalize_parameters(params),
            )
            yield _hmac_sha1(text, secret)


def _hmac_sha1(text: str, secret: str) -> str:
    """Sign a base string (RFC 5849 §3.4.2). The consumer secret in the signing key is always empty."""
    digest = hmac.new(f"&{escape(secret)}".encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def _fields(body: bytes) -> list[tuple[str, str]]:
    return urldecode(body.decode("latin-1")) if body.strip() else []
