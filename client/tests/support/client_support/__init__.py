"""What the tests of this room stand on; service, Redis and backend are those of the realtime room's tests."""
