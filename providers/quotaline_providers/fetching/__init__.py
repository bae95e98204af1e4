"""What several vendors need to fetch: optional requests, pages behind a cookie, status pages, blocking libraries."""
