"""One router per noun, whose handlers parse the request, call one service and render the answer."""
