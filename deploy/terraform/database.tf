# The catalog: Aurora PostgreSQL Serverless v2, unless there is a database. It grows with the load of many small
# statements, has its copies of the data in three zones, and fails over without losing a commit.

# Neither of these comes into the state. Both are new with each run, and written with a new secret_version
# only, at the same time to the database and to the secret.
ephemeral "aws_secretsmanager_random_password" "database" {
  count               = local.new_database ? 1 : 0
  password_length     = 40
  exclude_punctuation = true
}

ephemeral "aws_secretsmanager_secret_version" "existing_database" {
  count     = local.new_database ? 0 : 1
  secret_id = var.existing_database.secret_arn
}

locals {
  existing_login = local.new_database ? {} : jsondecode(ephemeral.aws_secretsmanager_secret_version.existing_database[0].secret_string)

  postgres_host     = local.new_database ? aws_rds_cluster.catalog[0].endpoint : var.existing_database.host
  postgres_port     = local.new_database ? 5432 : var.existing_database.port
  postgres_db       = local.new_database ? "ducklake" : var.existing_database.name
  postgres_user     = local.new_database ? "ducklake" : local.existing_login.username
  postgres_password = local.new_database ? ephemeral.aws_secretsmanager_random_password.database[0].random_password : local.existing_login.password

  database_security_group_id = local.new_database ? aws_security_group.database[0].id : var.existing_database.security_group_id
}

resource "aws_db_subnet_group" "catalog" {
  count      = local.new_database ? 1 : 0
  name       = "${var.name}-catalog"
  subnet_ids = var.task_subnet_ids
}

resource "aws_rds_cluster_parameter_group" "catalog" {
  count       = local.new_database ? 1 : 0
  name_prefix = "${var.name}-catalog-"
  description = "By TLS only"
  family      = "aurora-postgresql${split(".", var.database_version)[0]}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_rds_cluster" "catalog" {
  count                           = local.new_database ? 1 : 0
  cluster_identifier              = "${var.name}-catalog"
  engine                          = "aurora-postgresql"
  engine_version                  = var.database_version
  database_name                   = "ducklake"
  port                            = 5432
  master_username                 = "ducklake"
  master_password_wo              = local.postgres_password
  master_password_wo_version      = var.secret_version
  db_subnet_group_name            = aws_db_subnet_group.catalog[0].name
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.catalog[0].name
  vpc_security_group_ids          = [aws_security_group.database[0].id]
  storage_encrypted               = true
  backup_retention_period         = var.database_backup_days
  copy_tags_to_snapshot           = true
  deletion_protection             = var.deletion_protection
  enabled_cloudwatch_logs_exports = ["postgresql"]
  skip_final_snapshot             = false
  final_snapshot_identifier       = "${var.name}-catalog-final"

  serverlessv2_scaling_configuration {
    min_capacity = var.database_min_capacity
    max_capacity = var.database_max_capacity
  }
}

resource "aws_rds_cluster_instance" "catalog" {
  count               = local.new_database ? var.database_instances : 0
  identifier          = "${var.name}-catalog-${count.index}"
  cluster_identifier  = aws_rds_cluster.catalog[0].id
  engine              = aws_rds_cluster.catalog[0].engine
  engine_version      = aws_rds_cluster.catalog[0].engine_version
  instance_class      = "db.serverless"
  publicly_accessible = false
}
