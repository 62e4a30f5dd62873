"""What starts the image must tell it beyond what SageMaker does: names on which both agree."""

# Which version of the image is played, as its tag.
VERSION_VARIABLE = "ML_A2_XGBOOST_IMAGE"
DEFAULT_VERSION = "1.7-1"
# Where the hosts of a job find each other; those that share the laptop's network need a port of their own.
PORT_VARIABLE = "ML_A2_COLLECTIVE_PORT"
PORT = 9099
