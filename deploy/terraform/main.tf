data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id
  suffix    = data.aws_partition.current.dns_suffix

  bucket       = coalesce(var.bucket_name, "${var.name}-${local.account}-${local.region}")
  log_group    = "/ecs/${var.name}"
  new_database = var.existing_database == null
  pass_through = var.certificate_arn == null
  alarm_to     = var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]

  # The one place that the server writes to: what the engine spills, and temporary files.
  work = "/var/lib/ducklake-flight"
}
