"""Reading what vendors send: lenient payload models, and values in answers without a settled shape."""
