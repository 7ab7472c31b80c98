"""One router a noun: parse, call one service, shape."""
