"""The CDK's entry: `npx aws-cdk@2.160.0 synth` and `ml-a2 run` both run this file."""

from ml_a2.app import main

main()
