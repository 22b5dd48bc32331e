output "address" {
  description = "Where clients connect to; the certificate has to be for the name that they use."
  value       = "grpc+tls://${aws_lb.this.dns_name}:${var.listener_port}"
}

output "bucket_name" {
  value = aws_s3_bucket.lake.id
}

output "secret_arn" {
  value = aws_secretsmanager_secret.config.arn
}

output "database_address" {
  value = local.postgres_host
}

output "cluster_name" {
  value = aws_ecs_cluster.this.name
}

output "service_name" {
  value = aws_ecs_service.this.name
}

output "log_group_name" {
  value = aws_cloudwatch_log_group.this.name
}

output "task_role_policy" {
  description = "What the process may do, as 'ducklake-flight iam-policy' prints it; for another role, as of EKS."
  value       = data.aws_iam_policy_document.task.json
}

output "execution_role_policy" {
  value = data.aws_iam_policy_document.execution.json
}
