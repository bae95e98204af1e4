"""Host facilities: each module here is the only place that touches its part of the outside world."""
