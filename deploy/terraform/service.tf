resource "aws_cloudwatch_log_group" "this" {
  name              = local.log_group
  retention_in_days = var.log_days
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

locals {
  # The secret has all others.
  environment = merge(
    {
      DUCKLAKE_SECRET_ID = var.secret_name
      TEMP_DIRECTORY     = "${local.work}/spill"
      DRAIN_DELAY        = "15s"
      DRAIN_TIMEOUT      = "25s"
      LOG_FORMAT         = "json"
    },
    local.pass_through ? {
      FLIGHT_TLS_CERTIFICATE = var.tls_certificate_file
      FLIGHT_TLS_PRIVATE_KEY = var.tls_private_key_file
    } : {},
    var.marketplace_product_code == null ? {} : {
      MARKETPLACE_PRODUCT_CODE = var.marketplace_product_code
    },
    var.marketplace_public_key == null ? {} : {
      MARKETPLACE_PUBLIC_KEY = var.marketplace_public_key
    },
    var.marketplace_usage_dimension == null ? {} : {
      MARKETPLACE_USAGE_DIMENSION = var.marketplace_usage_dimension
      MARKETPLACE_USAGE_UNIT      = var.marketplace_usage_unit
    },
  )
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn

  ephemeral_storage {
    size_in_gib = var.disk_gib
  }

  runtime_platform {
    cpu_architecture        = var.architecture
    operating_system_family = "LINUX"
  }

  # On the task's own disk. It gets its owner from the image's directory.
  volume {
    name = "work"
  }

  container_definitions = jsonencode([{
    name                   = "ducklake-flight"
    image                  = var.image
    essential              = true
    command                = ["serve"]
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    mountPoints            = [{ sourceVolume = "work", containerPath = local.work, readOnly = false }]
    portMappings           = [for port in [31337, 8080] : { containerPort = port, hostPort = port, protocol = "tcp" }]

    # drain_delay, drain_timeout and 4 s, and some to spare. 120 is the most.
    stopTimeout = 60

    environment = [for name, value in local.environment : { name = name, value = value }]

    healthCheck = {
      command     = ["CMD", "ducklake-flight", "health"]
      interval    = 30
      timeout     = 10
      retries     = 3
      startPeriod = 60
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "ducklake-flight"
        # A log that is stuck does not hold the server up.
        mode            = "non-blocking"
        max-buffer-size = "16m"
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  name            = var.name
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.this.arn
  launch_type     = "FARGATE"
  desired_count   = var.min_tasks

  # A new task is ready before an old one is told to stop.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 120
  availability_zone_rebalancing      = "ENABLED"
  propagate_tags                     = "SERVICE"
  enable_ecs_managed_tags            = true

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.task_subnet_ids
    security_groups  = [aws_security_group.task.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.flight.arn
    container_name   = "ducklake-flight"
    container_port   = 31337
  }

  # That is the autoscaling's.
  lifecycle {
    ignore_changes = [desired_count]
  }

  # What a start needs.
  depends_on = [
    aws_lb_listener.flight,
    aws_rds_cluster_instance.catalog,
    aws_secretsmanager_secret_version.config,
    aws_iam_role_policy.task,
    aws_iam_role_policy.execution,
    aws_vpc_security_group_egress_rule.load_balancer,
    aws_vpc_security_group_egress_rule.task_services,
    aws_vpc_security_group_egress_rule.task_database,
    aws_vpc_security_group_ingress_rule.task,
    aws_vpc_security_group_ingress_rule.database,
  ]
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  min_capacity       = var.min_tasks
  max_capacity       = var.max_tasks
}

# By processors: statements use all there are, and memory says little, as the engine keeps what it has once
# taken. Tasks go slowly, since their clients have to connect anew.
resource "aws_appautoscaling_policy" "cpu" {
  name               = "${var.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = 600

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

# Maintenance: the same task with another command. One runs at a time, wherever it is started.
resource "aws_scheduler_schedule" "maintain" {
  name                = "${var.name}-maintain"
  description         = "Merges small files, expires snapshots, deletes what nobody needs"
  schedule_expression = var.maintenance_schedule

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = aws_ecs_cluster.this.arn
    role_arn = aws_iam_role.scheduler.arn

    input = jsonencode({
      containerOverrides = [{ name = "ducklake-flight", command = ["maintain"] }]
    })

    # The next one comes soon enough.
    retry_policy {
      maximum_retry_attempts       = 2
      maximum_event_age_in_seconds = 1800
    }

    ecs_parameters {
      task_definition_arn = aws_ecs_task_definition.this.arn
      launch_type         = "FARGATE"
      task_count          = 1
      propagate_tags      = "TASK_DEFINITION"

      network_configuration {
        subnets          = var.task_subnet_ids
        security_groups  = [aws_security_group.task.id]
        assign_public_ip = false
      }
    }
  }
}
