"""SageMaker's training and processing jobs: the API, and real subprocesses behind it."""
