"""HTTP: requests, what responses mean, proxies and certificates."""
