"""The actions that a bucket's policy may name, by what they are about.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
"""

from __future__ import annotations

OBJECT_ACTIONS = frozenset({
    "abortmultipartupload", "bypassgovernanceretention", "deleteobject", "deleteobjectannotation",
    "deleteobjecttagging", "deleteobjectversion", "deleteobjectversionannotation", "deleteobjectversiontagging",
    "getobject", "getobjectacl", "getobjectannotation", "getobjectattributes", "getobjectlegalhold",
    "getobjectretention", "getobjecttagging", "getobjecttorrent", "getobjectversion", "getobjectversionacl",
    "getobjectversionannotation", "getobjectversionannotationforreplication", "getobjectversionattributes",
    "getobjectversionforreplication", "getobjectversiontagging", "getobjectversiontorrent", "initiatereplication",
    "listmultipartuploadparts", "listobjectannotations", "listobjectversionannotations",
    "objectowneroverridetobucketowner", "putobject", "putobjectacl", "putobjectannotation", "putobjectlegalhold",
    "putobjectretention", "putobjecttagging", "putobjectversionacl", "putobjectversionannotation",
    "putobjectversiontagging", "replicatedelete", "replicateobject", "replicateobjectannotation", "replicatetags",
    "restoreobject", "updateobjectencryption",
})  # fmt: skip
BUCKET_ACTIONS = frozenset({
    "allowvendedlogdeliveryforresource", "createbucket", "createbucketmetadatatableconfiguration", "deletebucket",
    "deletebucketmetadatatableconfiguration", "deletebucketpolicy", "deletebucketwebsite", "getaccelerateconfiguration",
    "getanalyticsconfiguration", "getbucketabac", "getbucketacl", "getbucketcors", "getbucketlocation",
    "getbucketlogging", "getbucketmetadatatableconfiguration", "getbucketnotification",
    "getbucketobjectlockconfiguration", "getbucketownershipcontrols", "getbucketpolicy", "getbucketpolicystatus",
    "getbucketpublicaccessblock", "getbucketrequestpayment", "getbuckettagging", "getbucketversioning",
    "getbucketwebsite", "getencryptionconfiguration", "getintelligenttieringconfiguration", "getinventoryconfiguration",
    "getlifecycleconfiguration", "getmetricsconfiguration", "getreplicationconfiguration", "listbucket",
    "listbucketmultipartuploads", "listbucketversions", "listtagsforresource", "pausereplication",
    "putaccelerateconfiguration", "putanalyticsconfiguration", "putbucketabac", "putbucketacl", "putbucketcors",
    "putbucketlogging", "putbucketnotification", "putbucketobjectlockconfiguration", "putbucketownershipcontrols",
    "putbucketpolicy", "putbucketpublicaccessblock", "putbucketrequestpayment", "putbuckettagging",
    "putbucketversioning", "putbucketwebsite", "putencryptionconfiguration", "putintelligenttieringconfiguration",
    "putinventoryconfiguration", "putlifecycleconfiguration", "putmetricsconfiguration", "putreplicationconfiguration",
    "tagresource", "untagresource", "updatebucketmetadataannotationtableconfiguration",
    "updatebucketmetadatainventorytableconfiguration", "updatebucketmetadatajournaltableconfiguration",
})  # fmt: skip
