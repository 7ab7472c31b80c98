"""HTTP with clients that may be slow, but not for ever: one that stalls loses its connection."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

#: A request must be whole this long after its first byte, or after the connection was made.
REQUEST_TIMEOUT_S = 15.0
#: A client that takes nothing of an answer for this long is gone.
STALL_TIMEOUT_S = 30.0


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with an end to waiting; between requests uvicorn's own timeout counts."""

    request_timeout_s = REQUEST_TIMEOUT_S
    stall_timeout_s = STALL_TIMEOUT_S
    _request_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """A client that connects has something to ask."""
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A request that is whole has no end to wait for."""
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # None until a request's head is whole
        if cycle is None or cycle.response_complete or cycle.more_body:
            self._await_request()
        elif self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def pause_writing(self) -> None:
        """The client does not take what was sent."""
        super().pause_writing()
        if self._stall_timer is None:
            self._stall_timer = self.loop.call_later(self.stall_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        super().resume_writing()

    def _await_request(self) -> None:
        if self._request_timer is None and not self.transport.is_closing():
            self._request_timer = self.loop.call_later(self.request_timeout_s, self.transport.abort)

    def _stop_timers(self) -> None:
        for timer in (self._request_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
