# Those that see into the server are in deploy/observability.

locals {
  balancer = {
    LoadBalancer = aws_lb.this.arn_suffix
    TargetGroup  = aws_lb_target_group.flight.arn_suffix
  }
  service = {
    ClusterName = aws_ecs_cluster.this.name
    ServiceName = aws_ecs_service.this.name
  }
  # Storage of Aurora grows by itself; its capacity and connections have ends.
  database_alarms = local.new_database ? {
    database-capacity = {
      description = "The catalog's database is at its capacity. Raise database_max_capacity."
      namespace   = "AWS/RDS", metric = "ACUUtilization", statistic = "Average"
      dimensions  = { DBClusterIdentifier = "${var.name}-catalog" }
      comparison  = "GreaterThanThreshold", threshold = 90, period = 300, periods = 3, missing = "missing"
    }
    database-connections = {
      description = "The catalog's database has more than 400 connections. Six tasks of two processors hold 246."
      namespace   = "AWS/RDS", metric = "DatabaseConnections", statistic = "Maximum"
      dimensions  = { DBClusterIdentifier = "${var.name}-catalog" }
      comparison  = "GreaterThanThreshold", threshold = 400, period = 300, periods = 3, missing = "missing"
    }
  } : {}
  alarms = merge(local.database_alarms, {
    unhealthy = {
      description = "Tasks are not ready. GET /readyz says which check, docs/operations.md what to do."
      namespace   = "AWS/NetworkELB", metric = "UnHealthyHostCount", statistic = "Maximum"
      dimensions  = local.balancer
      comparison  = "GreaterThanThreshold", threshold = 0, period = 60, periods = 5, missing = "notBreaching"
    }
    nobody = {
      description = "No task is ready."
      namespace   = "AWS/NetworkELB", metric = "HealthyHostCount", statistic = "Maximum"
      dimensions  = local.balancer
      comparison  = "LessThanThreshold", threshold = 1, period = 60, periods = 2, missing = "breaching"
    }
    cpu = {
      description = "Processors are busy for a quarter of an hour, though tasks were added. Raise max_tasks or cpu."
      namespace   = "AWS/ECS", metric = "CPUUtilization", statistic = "Average"
      dimensions  = local.service
      comparison  = "GreaterThanThreshold", threshold = 90, period = 300, periods = 3, missing = "missing"
    }
    memory = {
      description = "A task is near its memory, beyond which it is killed. Raise memory, or lower memory_limit."
      namespace   = "AWS/ECS", metric = "MemoryUtilization", statistic = "Maximum"
      dimensions  = local.service
      comparison  = "GreaterThanThreshold", threshold = 92, period = 300, periods = 3, missing = "missing"
    }
    errors = {
      description = "The log has lines of level ERROR, of which there are none when all is well."
      namespace   = var.name, metric = "Errors", statistic = "Sum"
      dimensions  = {}
      comparison  = "GreaterThanThreshold", threshold = 0, period = 300, periods = 1, missing = "notBreaching"
    }
    maintenance = {
      description = "Maintenance could not be started."
      namespace   = "AWS/Scheduler", metric = "TargetErrorCount", statistic = "Sum"
      dimensions  = { ScheduleGroup = "default" }
      comparison  = "GreaterThanThreshold", threshold = 0, period = 3600, periods = 1, missing = "notBreaching"
    }
  })
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${var.name}-errors"
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = "{ $.level = \"ERROR\" }"

  metric_transformation {
    namespace     = var.name
    name          = "Errors"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = each.value.comparison
  treat_missing_data  = each.value.missing
  alarm_actions       = local.alarm_to
  ok_actions          = local.alarm_to
}
