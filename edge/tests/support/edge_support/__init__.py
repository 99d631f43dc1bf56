"""The outside world of an edge, as its tests need it: devices, a Redis, a backend, a historian. All on loopback."""
