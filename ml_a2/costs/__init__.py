"""What executions cost: counted from a synthesized template, priced from a dated table."""
