"""The forms of bodies and answers that several routers share."""
