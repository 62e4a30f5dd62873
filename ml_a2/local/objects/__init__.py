"""S3's objects as files: bytes stream from the request into a folder and out of it again, never whole in memory."""
