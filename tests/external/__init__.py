"""The external send API as its document says it, from the vendor's HTTP request to what Meta has in its hands."""
