"""Names on which template, jobs, local runtime and command line agree."""

from __future__ import annotations

import hashlib

STACK_NAME = "MlA2TrainingEvaluationStack"

# Prefixes in the three buckets. `train/`, `validation/` and `evaluation/` are the mission's own.
TRAIN_PREFIX = "train/"
VALIDATION_PREFIX = "validation/"
CODE_PREFIX = "evaluation/"
MODELS_PREFIX = "models/"
EVALUATIONS_PREFIX = "evaluations/"
# What a job takes for its data or its code, of the training data.
JOB_READ_PREFIXES = (TRAIN_PREFIX, VALIDATION_PREFIX, CODE_PREFIX)
# Of training on spot instances, among the model artifacts: a folder a job.
CHECKPOINTS_PREFIX = "checkpoints/"
# Names the last accepted model, among the model artifacts.
CHAMPION_KEY = "champion/champion.json"

EVALUATION_SCRIPT = "evaluate.py"
# The folder beside it, which it imports.
EVALUATION_MODULES = "quality"
EVALUATION_FILE = "evaluation.json"
CURVES_FILE = "curves.json"
# A person's own names of target, features and classes, beside evaluate.py.
COLUMNS_FILE = "columns.json"
# Everything about an execution, beside its evaluation.
MANIFEST_FILE = "manifest.json"
MODEL_ARCHIVE = "model.tar.gz"

# Stack outputs by which clients find the deployed resources.
OUTPUT_TRAINING_DATA_BUCKET = "TrainingDataBucketName"
OUTPUT_MODEL_ARTIFACTS_BUCKET = "ModelArtifactsBucketName"
OUTPUT_EVALUATION_RESULTS_BUCKET = "EvaluationResultsBucketName"
OUTPUT_STATE_MACHINE = "StateMachineArn"
OUTPUT_TOPIC = "NotificationTopicArn"

OUTPUTS = (
    OUTPUT_TRAINING_DATA_BUCKET,
    OUTPUT_MODEL_ARTIFACTS_BUCKET,
    OUTPUT_EVALUATION_RESULTS_BUCKET,
    OUTPUT_STATE_MACHINE,
    OUTPUT_TOPIC,
)

# Job names: prefix + SHA-1 of the execution (40 characters) are at most SageMaker's 63.
TRAINING_JOB_PREFIX = "ml-a2-training-"
PROCESSING_JOB_PREFIX = "ml-a2-evaluation-"


def job_prefixes(stack_name: str) -> dict[str, str]:
    """Return what the names of a stack's jobs begin with, by SageMaker's word for the kind of job.

    An execution's hash keeps names apart in any case. Another stack has other prefixes, so that its roles, which are
    allowed the jobs of their prefixes, may not stop or describe this one's.
    """
    prefixes = {"training-job": TRAINING_JOB_PREFIX, "processing-job": PROCESSING_JOB_PREFIX}
    if stack_name == STACK_NAME:
        return prefixes
    mark = hashlib.sha256(stack_name.encode()).hexdigest()[:5]
    return {kind: prefix.replace("ml-a2-", f"ml-a2-{mark}-", 1) for kind, prefix in prefixes.items()}


# The first state of an execution names its jobs, in these fields of its output.
NAMING_STATE = "NameJobs"
# The state that settles an execution's hyperparameters.
PLANNING_STATE = "MergeHyperparameters"
TRAINING_JOB_FIELD = "training_job_name"
PROCESSING_JOB_FIELD = "processing_job_name"

TRAINING_LOG_GROUP = "/aws/sagemaker/TrainingJobs"
PROCESSING_LOG_GROUP = "/aws/sagemaker/ProcessingJobs"

TRAINING_REPOSITORY = "sagemaker-xgboost"
EVALUATION_REPOSITORY = "sagemaker-scikit-learn"

# Where a processing container finds its inputs and leaves its outputs.
PROCESSING_CODE_PATH = "/opt/ml/processing/input/code"
PROCESSING_MODEL_PATH = "/opt/ml/processing/input/model"
PROCESSING_VALIDATION_PATH = "/opt/ml/processing/input/validation"
PROCESSING_CHAMPION_PATH = "/opt/ml/processing/input/champion"
PROCESSING_OUTPUT_PATH = "/opt/ml/processing/output"
PROCESSING_MESSAGE_PATH = "/opt/ml/output/message"

# The wheel that travels beside evaluate.py: the scikit-learn image has no xgboost (contract, section 2).
XGBOOST_WHEEL = "xgboost_cpu-2.1.4-py3-none-manylinux2014_x86_64.whl"

# The metrics that an evaluation has, by the kind of model; names as SageMaker's model quality has them.
METRICS = {
    "binary": (
        "accuracy", "precision", "recall", "f0_5", "f1", "f2", "true_positive_rate", "true_negative_rate",
        "false_positive_rate", "false_negative_rate", "auc", "au_prc", "log_loss",
    ),
    "multiclass": (
        "accuracy", "weighted_precision", "weighted_recall", "weighted_f0_5", "weighted_f1", "weighted_f2", "log_loss",
    ),
    "regression": ("mae", "mse", "rmse", "r2", "mean_poisson_deviance"),
    "ranking": ("ndcg", "ndcg_at_10", "map"),
}  # fmt: skip
# By which a champion is judged where the settings name no metric.
CHAMPION_METRICS = {"binary": "auc", "multiclass": "accuracy", "regression": "rmse", "ranking": "ndcg"}
# How an execution ends whose model the quality gate turned down.
GATE_FAILED = "QualityGateFailed"
# What an execution's output has once a gate let its model pass.
GATE_FIELD = "gate"
# What it has once its model was registered: {"ModelPackageArn": ...}.
MODEL_PACKAGE_FIELD = "model_package"

POLL_SECONDS = 30
HISTORY_EVENT_LIMIT = 25_000
EVENTS_PER_POLL = 9

# Registry account of both images, by region. Source: SageMaker's published registry paths.
REGISTRY_ACCOUNTS = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "ca-west-1": "190319476487",
    "cn-north-1": "450853457545",
    "cn-northwest-1": "451049120500",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "il-central-1": "898809789911",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-gov-east-1": "237065988967",
    "us-gov-west-1": "414596584902",
    "us-iso-east-1": "833128469047",
    "us-isob-east-1": "281123927165",
    "us-isof-east-1": "108575199400",
    "us-isof-south-1": "124985052026",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
