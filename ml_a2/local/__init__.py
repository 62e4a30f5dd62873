"""The local runtime: an embedded AWS endpoint on which the synthesized template is deployed and executed."""
