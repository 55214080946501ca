"""Deliberate breakages of the program, each with the test that must notice it (tests.mocks.mutations runs them)."""

from __future__ import annotations

from tests.mocks.breakages_tls import TLS
from tests.mocks.breaking import Mutation, of

# fmt: off
ADMINER, EDGE, FLASK, HARDENING, NETWORKS, POSTGRES, RELEASE, SECRETS, FILES, IMAGE, DATABASES, VOLUMES, WORKLOAD = (
    f"components/{name}.py"
    for name in ("adminer", "edge", "flask_service", "hardening", "networks", "postgres", "release", "secrets",
                 "service_files", "service_image", "databases", "volumes", "workload")
)
MAIN, PROFILE, TOPOLOGY, NAMING, SITE = (
    "__main__.py",
    "slipway/site/profile.py",
    "slipway/core/topology.py",
    "slipway/core/naming.py",
    "slipway/site/site.py",
)
KINDS = "slipway/core/kinds.py"
PROVIDED = "ignore_changes=PROVIDED"

MUTATIONS: list[Mutation] = [
    *of(
        "profiles",
        prod_publishes_exactly_one_port=(FLASK, "self.args.context.site.profile.publish_services and", "True and"),
        dev_publishes_each_service_and_adminer_on_this_machine_alone=[
            (ADMINER, 'address="127.0.0.1"', 'address="0.0.0.0"'),
            (FLASK, 'address="127.0.0.1"', 'address="0.0.0.0"'),
        ],
        dev_has_adminer_and_prod_has_not=(PROFILE, "adminer=False", "adminer=True"),
        dev_mounts_the_source_and_prod_nothing_of_the_host=(PROFILE, "bind_mounts=False", "bind_mounts=True"),
        dev_runs_the_debug_server_and_prod_gunicorn=(PROFILE, "debug_server=False", "debug_server=True"),
        flask_commands_find_the_application_that_is_served=(FILES, "if service.app else {}", "if False else {}"),
        gunicorn_believes_the_headers_of_the_edge_alone=(FLASK, 'trusted=",".join(edge)', 'trusted="*"'),
        the_database_is_migrated_in_both_and_seeded_in_dev=(PROFILE, "seed=False", "seed=True"),
        every_prod_container_is_hardened=[
            (HARDENING, '"read_only": True', '"read_only": False'),
            (HARDENING, 'drops=["ALL"]', 'drops=["CHOWN"]'),
            (HARDENING, '"no-new-privileges:true"', '"no-new-privileges:false"'),
            (POSTGRES, "user=str(UID)", 'user="postgres"'),
            (EDGE, "tmpfs=scratch.tmp(16)", "tmpfs={}"),
            (HARDENING, "scratch.run(workload.user) | dict(workload.tmpfs)", "dict(workload.tmpfs)"),
            ("components/service_jobs.py", "hardened=context.site.profile.hardened", "hardened=False"),
        ],
        every_container_has_limits_a_bounded_log_and_a_restart_policy=[
            (HARDENING, '"memory_swap": limits.memory', '"memory_swap": 2 * limits.memory'),
            (HARDENING, '"cpus": decimal(limits.cpus)', '"cpus": str(round(limits.cpus))'),
            (HARDENING, '{"max-size": "10m", "max-file": "3"}', "{}"),
            (HARDENING, '"restart": "unless-stopped"', '"restart": "no"'),
            (HARDENING, '"wait": False', '"wait": True'),
        ],
        every_container_has_a_limit_of_processes_that_leaves_room_for_what_it_starts=[
            ("slipway/core/processes.py", "settings.max_connections + SERVER_PROCESSES", "0"),
            (WORKLOAD, ", containers, strict=True)", ", containers[:0])"),
        ],
        every_prod_container_says_whether_it_is_well=[
            (WORKLOAD, "interval=go_duration(health.interval)", 'interval=f"{health.interval}.0s"'),
            (WORKLOAD, "retries=6,\n", 'retries=6, start_period="5s",\n'),
        ],
        data_volumes_keep_their_data_in_prod_and_not_in_dev=[
            (VOLUMES, "retain_on_delete=context.site.profile.keep_data", "retain_on_delete=False"),
            (VOLUMES, "retain_on_delete=context.site.profile.keep_data", "retain_on_delete=True"),
        ],
        every_network_is_internal_but_those_named=(
            TOPOLOGY, "internal=not site.profile.publish_services", "internal=False"),
        new_internal_networks_have_no_address_of_the_host_where_the_engine_can=[
            (NETWORKS, "ISOLATED if plan.internal and", "ISOLATED if"),
            (NETWORKS, 'ignore_changes=["options"]', "ignore_changes=[]")],
        what_is_mounted_for_a_trial_is_there_already=(
            "components/trial.py", "        and (mount.folder or mount.volume) is not None", "        and True"),
        postgres_is_on_internal_networks_alone=(
            TOPOLOGY, "name=POSTGRES, internal=True", "name=POSTGRES, internal=False"),
        images_are_built_here_for_the_engine_and_pushed_nowhere=[
            (IMAGE, "skip_push=True", "skip_push=False"),
            (IMAGE, "platform=args.context.platform", 'platform="linux/arm64"'),
            (IMAGE, "target=site.profile.target", 'target="prod"'),
        ],
        containers_name_their_image_by_the_id_that_was_built=(IMAGE, "image.repo_digest", "image.image_name"),
        a_stack_is_dev_by_its_name_or_setting_and_prod_otherwise=(
            PROFILE, 'DEV if stack.startswith("dev") else PROD', 'PROD if stack == "prod" else DEV'),
    ),
    *of(
        "resource_options",
        nothing_crashes_on_what_a_preview_does_not_know=(
            NETWORKS, "self.register_outputs(",
            'self.names.apply(lambda _: docker.Network("late"))\n        self.register_outputs('),
        every_container_states_its_replacement_order=(
            WORKLOAD, "            delete_before_replace=workload.replaced.delete_first,\n", ""),
        in_prod_only_postgres_and_the_edge_are_deleted_first=(
            FLASK, "delete_first=profile.publish_services or", "delete_first=True or"),
        what_is_deleted_first_was_tried_before=[
            (WORKLOAD, "    if workload.replaced.delete_first:\n", "    if not workload.replaced.delete_first:\n"),
            (WORKLOAD, "depends_on.append(tried", "print(tried")],
        whatever_publishes_a_port_or_has_a_fixed_name_is_deleted_first=(
            FLASK, "delete_first=profile.publish_services or", "delete_first="),
        no_app_container_has_a_property_dependency_on_a_delete_first_resource=(
            FLASK, "volume=naming.data_volume(context.site.project, context.site.stack, service.name, volume)",
            "volume=data.name"),
        containers_are_replaced_for_what_the_plugin_only_records=(
            WORKLOAD, "            replace_on_changes=REPLACED,\n", ""),
        every_container_has_its_grace_in_state_and_it_outlasts_a_request=[
            (WORKLOAD, "destroy_grace_seconds=stop.grace", "destroy_grace_seconds=10"),
            (POSTGRES, "GRACE = 90", "GRACE = 10"),
            (EDGE, "GRACE = 5", "GRACE = 40"),
            (EDGE, 'signal="SIGQUIT"', 'signal="SIGTERM"')],
        data_of_another_stack_is_refused_whichever_volume_holds_it=[
            (KINDS, '[(POSTGRES, "data")]', "[]"),
            (KINDS, '[(CERTBOT, "data")]', "[]"),
            (KINDS, "for volume in service.volumes]", "for volume in ()]")],
        data_volumes_are_known_by_name_and_ignore_what_would_replace_them=[
            (VOLUMES, PROVIDED, "ignore_changes=[]"),
            (VOLUMES, "name=naming.data_volume(context.site.project, context.site.stack, service, volume),", "")],
        no_volume_is_replaced_for_its_labels=(EDGE, PROVIDED, "ignore_changes=[]"),
        nothing_is_protected_or_destroy_would_fail_half_way=(
            VOLUMES, "delete_before_replace=True,", "delete_before_replace=True,\n            protect=True,"),
        a_generated_secret_is_drawn_once_whatever_its_arguments_become=[
            (SECRETS, '["length", "special", ', "["),
            (SECRETS, "special=False", "special=True")],
        every_docker_resource_goes_to_the_engine_that_was_resolved=[
            (MAIN, 'ResourceOptions(providers=[docker.Provider(context.name("engine"), host=engine.host)])',
             "ResourceOptions()"),
            (DATABASES, "engine=args.context.engine,\n            container=args.postgres",
             'engine="unix:///var/run/docker.sock",\n            container=args.postgres')],
        every_resource_has_its_place_in_a_component=(IMAGE, "ResourceOptions(parent=self)", "ResourceOptions()"),
        every_component_registers_its_outputs=(IMAGE, "self.register_outputs(", "dict("),
        a_service_starts_only_when_its_database_is_ready_and_migrated=[
            (FLASK, "after=[*ready, jobs]", "after=ready"),
            (DATABASES, "[roles, *args.postgres.running.ready]", "[roles]")],
        a_migration_runs_only_when_the_database_is_ready=(FLASK, "parent=self, depends_on=ready", "parent=self"),
        databases_are_provisioned_again_for_each_new_server=(
            DATABASES, "container=args.postgres.running.container.id", 'container="postgres"'),
        the_release_comes_after_every_container_attachment_and_static_file=[
            (RELEASE, "                    *copied,\n", ""),
            (RELEASE, "*(edge.running.ready if edge", "*(edge.running.limits if edge"),
            (WORKLOAD, "[*self.containers, *self.ready]", "[*self.containers]"),
            (WORKLOAD, "[*self.attachments, *self.limits]", "[*self.attachments]")],
        each_new_container_is_a_new_release_and_old_ones_are_deleted_after_it=[
            (RELEASE, "pulumi.Output.all(*each.running.names)", "[each.service.name]"),
            (RELEASE, "edge=edge.running.container.id if edge", 'edge="edge" if edge')],
    ),
    *of(
        "secrets",
        no_secret_reaches_a_label_a_name_a_command_or_an_environment_value=[
            (SECRETS, "hashing.keyed(known[0], known[1])", "known[0]"),
            ("slipway/providers/files.py", "pulumi.Output.secret(files)", "pulumi.Output.unsecret(files)")],
        the_server_is_told_verifiers_and_even_these_are_secret=[
            ("slipway/providers/database.py", "pulumi.Output.secret(sql)", "pulumi.Output.unsecret(sql)"),
            ("slipway/core/provisioning.py", "PASSWORD '{scram_verifier(role, password)}'", "PASSWORD '{password}'")],
        the_engine_is_given_no_secret_at_all_or_docker_inspect_would_show_it=(
            FLASK, "tmpfs=scratch.tmp(64)", 'tmpfs={"/x": self.args.secrets.generated("stack-key")}'),
        no_secret_is_an_output_in_plain=(
            MAIN, "pulumi.export(name, url)",
            'pulumi.export(name, pulumi.Output.unsecret(secrets.generated("stack-key")))'),
        a_service_finds_its_secrets_in_files_that_only_it_can_read=[
            ("slipway/providers/files.py", "mode: int = 0o400", "mode: int = 0o444"),
            (FLASK, 'duty="runtime" if context.site.database_owner(service).migrate else "owner"', 'duty="owner"')],
        every_service_starts_by_the_wrapper_and_mounts_its_files_read_only=[
            (FLASK, "entrypoint=None if command is None else ENTRY", "entrypoint=[]"),
            (FLASK, "container_paths.SECRETS, read_only=True", "container_paths.SECRETS")],
        the_name_of_a_volume_of_secrets_changes_with_them_and_with_nothing_else=(
            SECRETS, "hashing.keyed(known[0], known[1])", '"constant"'),
        a_chosen_secret_takes_the_place_of_a_generated_one=(
            SECRETS, "        if name in self._context.site.configured_secrets.get(service, ()):", "        if False:"),
        every_secret_is_drawn_for_itself=(DATABASES, 'generated(owner.name, "db", duty, ', 'generated("stack-key", '),
    ),
    *of(
        "rotation",
        a_stack_that_rotated_nothing_is_as_it_was=(
            FILES, "(name for name, value in former.items() if value is not None)", "former"),
        a_rotated_secret_is_another_value_and_its_former_one_goes_on_verifying=[
            (SECRETS, "generation=generation - 1", "generation=generation"),
            (FILES, "json.dumps([text])", "json.dumps(text)")],
        a_rotation_of_a_secret_changes_nothing_but_the_containers_that_have_it=(
            SECRETS, "self._key = self.generated(\"stack-key\")",
            'self._key = self.generated("stack-key", generation=len(args.context.site.rotations))'),
        a_rotated_database_is_entered_by_the_other_login_and_the_former_is_left_as_it_is=[
            (DATABASES, "slot(self._generation(owner))", '"a"'),
            ("slipway/core/provisioning.py", "text += opened if password else", "text += opened if True else"),
            (DATABASES, '"login", *self._numbered(service)', '"login"')],
        a_login_is_locked_only_after_what_uses_it_has_gone=(
            DATABASES, "[*self._ready, *self._held.get(owner.name, ()), *jobs]", "self._ready"),
        a_rotated_superuser_leaves_the_server_alone=(
            POSTGRES, "volume=args.secrets.volume_name(POSTGRES, _files(args.secrets, 0))",
            "volume=args.secrets.volume_name(POSTGRES, _files(args.secrets, 1))"),
        only_two_generations_are_kept=(SECRETS, "rotation.logical(name, generation)", "name"),
        what_can_be_rotated_is_in_the_state=(SECRETS, '{"rotations": rotation.in_force(site)}', "{}"),
        an_application_may_name_the_former_values_as_it_likes=(
            FILES, "rotation.NO_FALLBACKS if value is None", "'[1]' if value is None"),
    ),
    *of(
        "constant",
        labels_of_volumes_networks_and_postgres_are_constant=[
            (NETWORKS, "args.context.labels()", 'args.context.labels(str(args.context.site.drain))'),
            (POSTGRES, "context.labels(POSTGRES)", 'context.labels(f"postgres-{settings.memory}")')],
        names_of_data_volumes_are_constant=(
            POSTGRES, '(context, POSTGRES, "data", ', '(context, POSTGRES, f"data{settings.memory}", '),
        no_two_servers_can_have_the_same_data_because_their_container_has_one_name=(
            POSTGRES, "fixed_name=True", "fixed_name=False"),
        networks_do_not_change_with_settings_or_sources=(
            NETWORKS, "internal=plan.internal", "internal=args.context.site.drain > 20"),
        everything_made_on_the_engine_carries_the_stacks_labels=(WORKLOAD, "labels=container_labels(", "hostname=str("),
        urns_are_those_in_peoples_state=(DATABASES, '"database-roles"', '"roles"'),
        other_sources_secrets_and_settings_have_the_same_urns=(
            FLASK, 'context.name(service.name, volume, "owner")',
            'context.name(service.name, volume, str(service.memory), "owner")'),
        a_renamed_resource_needs_an_alias_of_its_old_urn=(
            "tests/mocks/urns.py", "set(known) - found", "set(known) & found"),
    ),
    *of(
        "elsewhere",
        a_site_elsewhere_is_built_from_its_own_folders_and_the_programs_images_from_the_programs=[
            (IMAGE, 'os.path.relpath(site.root.resolve() / (service.path or ""), PROGRAM)', 'service.path or ""'),
            (IMAGE, "folder, stage = PROGRAM / args.folder,", "folder, stage = site.root / args.folder,")],
    ),
    *of(
        "sites",
        gunicorn_its_health_check_and_nginx_agree_on_the_protocol=[
            ("slipway/core/probes.py", "PROGRAMS[protocol]", "HTTP"),
            (RELEASE, "            protocol=site.protocol(site.services[service]),\n", ""),
            ("slipway/core/gunicorn.py", "*(UWSGI if by_uwsgi else ())", "*()"),
            (SITE, "Protocol.HTTP if self.profile.debug_server else service.protocol", "service.protocol")],
        a_dockerfile_of_ones_own_that_copies_a_secret_is_warned_of=[
            ("slipway/core/own_dockerfile.py", " if dockerfile.copies(text, path)", ""),
            (IMAGE, "if site.profile.hardened else ()", "if not site.profile.hardened else ()")],
        an_images_entrypoint_stands_before_every_command_where_it_passes_it_on=[
            ("components/entrypoint.py", " or passes_on(words, folder)", ""),
            ("components/service_files.py", "[*both[0], *both[1]]", "list(both[1])")],
        a_stage_is_asked_for_where_the_dockerfile_has_it=(
            IMAGE, "dockerfile.target(text, stage) if stage else None", "stage"),
        routes_limits_pages_and_retention_are_a_matter_of_the_release_and_nginx_stays=[
            (EDGE, "retention=self._context.site.edge.static_retention", "retention=604800"),
            (EDGE, "max_body=settings.max_body,", "max_body=16,"),
            (EDGE, "own={page: (site.root / file).read_text() for page, file in settings.pages.items()},", ""),
            (RELEASE, "pages=edge.pages if edge", "pages=dict.fromkeys(edge.pages, '') if edge")],
        without_a_database_there_is_no_postgres_and_nothing_to_look_into_it=(
            "slipway/settings/parse.py", "profile.adminer and databases and", "profile.adminer and"),
        a_managed_database_is_reached_by_a_network_of_its_own_with_the_password_in_a_file=[
            (TOPOLOGY, "(service.egress or managed)", "service.egress"),
            ("slipway/core/dsn.py", "{quote(password, safe='')}", "{password}")],
        a_worker_has_no_place_at_the_edge_and_calls_services_through_it=(
            TOPOLOGY, "if site.at_edge(service):", "if site.profile.edge:"),
        a_worker_on_anothers_database_logs_in_as_that_service_and_waits_for_its_migration=[
            (DATABASES, "[self._jobs[owner.name]] if service.shares_database else []", "list[pulumi.Resource]()"),
            (DATABASES, "return login(owner.name, duty, ", "return login(service.name, duty, "),
            (RELEASE, "if each.service.owns_database", "if each.service.database")],
        a_new_call_moves_no_container_from_a_network_that_it_is_on=(
            TOPOLOGY, "members[EDGE] = ()", "members[EDGE] = service.uses"),
        a_worker_publishes_nothing_in_dev=(
            "slipway/settings/parse.py", "dev_port if health or table.dev_port else None", "dev_port"),
        replicas_share_the_image_the_volumes_and_the_upstream=(
            WORKLOAD, "image=workload.image", "image=workload.image, hostname=name"),
        replicas_start_one_after_the_other=(WORKLOAD, ", *containers[-1:]]", "]"),
        one_replica_more_leaves_those_that_run_alone=(
            WORKLOAD, 'f"{name}-{replica}" if replica > 1 else name',
            'f"{name}-{replica}" if workload.replicas > 1 else name'),
        in_dev_only_one_of_several_replicas_has_the_port=(
            WORKLOAD, "workload if each == name else replace(workload, ports=())", "workload"),
        large_uploads_have_room_on_disk_that_goes_with_the_container=[
            (FLASK, "if scratch.spools(service) else []", "if False else []"),
            ("slipway/core/scratch.py", "bool(service.path) and", "")],
        services_may_have_hosts_of_their_own=(
            "slipway/nginx/routes.py", "(host,) if host else", "(host,) if None else"),
        a_ready_made_image_with_a_command_finds_its_secrets_in_the_environment=(
            FLASK, "        if service.command:\n            return list(service.command)\n", ""),
        the_url_is_one_that_a_browser_takes=("slipway/core/urls.py", 'f"[{address}]" if', "address if"),
        recreate_deletes_the_old_container_first=(FLASK, " or service.strategy is Strategy.RECREATE", ""),
        scheduled_commands_start_after_the_release_in_one_container_of_the_services_own=[
            ("components/schedule.py", "delete_first=True", "delete_first=False"),
            ("components/schedule.py", "started_after=[args.release]", "started_after=[]"),
            ("components/schedule.py", "dict.fromkeys(owner.workload.networks)",
             "owner.workload.networks | {'images': ['images']}")],
        a_volume_of_another_service_is_mounted_once_it_belongs_to_its_user=(
            FLASK, "volume=each.volume,", 'volume=f"slipway-{context.site.stack}-images-uploads",'),
        a_migration_waits_for_a_lock_as_long_as_is_declared_and_a_seed_runs_once=[
            ("components/service_jobs.py", "migration_options(args.context.site.migrations)", '""'),
            ("components/service_jobs.py", "own = options.keys() & service.env.keys()", "own = set()"),
            ("components/service_jobs.py", "after=jobs, once=True", "after=jobs")],
        the_release_knows_what_it_may_stop_and_what_was_migrated=[
            (RELEASE, ".strategy is Strategy.ROLLING", ".http"),
            (RELEASE, "if site.services[service].http else 0", ""),
            (RELEASE, "if each.service.migrate and not site.pin", "if not site.pin")],
        only_a_service_with_egress_has_a_way_out=(TOPOLOGY, 'egress", internal=False', 'egress", internal=True'),
        a_redis_is_called_directly_and_by_those_alone_that_use_it=[
            (SITE, "self.profile.edge and service.http and", "self.profile.edge and"),
            (TOPOLOGY, "answers: (called,)}", "answers: ()}")],
        a_ready_made_image_without_a_command_starts_as_it_is_made=(
            FLASK, "entrypoint=None if command is None else ENTRY", "entrypoint=ENTRY"),
        a_ready_made_server_is_probed_with_what_its_image_has=(FLASK, "if self.service.image else", "if False else"),
        what_could_not_work_is_refused_before_anything_is_touched=(
            "slipway/settings/service_checks.py", '"stack", ', ""),
    ),
    *TLS,
    *of(
        "pinned",
        nothing_of_the_services_is_built_and_all_else_keeps_its_urn=[
            (IMAGE, "if args.existing else", "if False else"),
            ("components/service_jobs.py", "if service.migrate:", "if service.migrate and not args.context.site.pin:")],
        containers_jobs_and_static_files_take_the_recorded_images=[
            (IMAGE, "existing=site.pin.images[service.name] if", 'existing="sha256:other" if'),
            (RELEASE, 'release=site.pin.release if site.pin else "",', 'release="",')],
        neither_migrations_nor_seeds_run_and_what_they_last_ran_with_stays=[
            ("components/service_jobs.py", "suspended=context.site.pin is not None", "suspended=False"),
            ("slipway/providers/job.py", 'in (("suspended", suspended),', 'in (("suspended", True),')],
        the_services_are_those_of_the_record_whatever_is_declared_now=(
            "slipway/settings/parse.py", 'known["services"], overrides = dict(recorded), {}', "overrides = {}"),
        secrets_that_the_release_did_not_know_stay_what_they_are=(
            SECRETS, "(*used, *site.declared_secrets.items())", "used"),
        every_kind_of_site_is_pinned_to_its_own_release_and_only_the_builds_are_gone=(
            MAIN, "service.image or ServiceImage.of(", "ServiceImage.of("),
        the_operator_is_told_at_each_run_and_only_while_it_is_pinned=(MAIN, "if site.pin:\n", "if False:\n"),
        an_image_that_is_gone_is_one_error_before_anything_is_registered=(
            "slipway/settings/parse.py", "pin.problems(site, engine)", "pin.problems(site, None)"),
        a_release_records_what_its_services_were_declared_as=[
            (RELEASE, "services=site.tables", "services={name: {} for name in site.tables}"),
            (RELEASE, "if not each.service.image}", 'if each.service.image != "x" and not each.service.database}'),
            (RELEASE, "keep=site.keep_releases", "keep=5")],
        each_image_that_is_built_gets_a_name_of_its_own=(
            IMAGE, "records.repository(site.project, site.stack, args.service)", 'f"{name}:latest"'),
    ),
    *of(
        "kinds",
        whatever_runs_is_of_a_kind_that_the_site_has=[
            (KINDS, 'component="Adminer"', 'component="Certbot"'),
            (KINDS, "there=lambda site: site.acme", "there=lambda site: False")],
        what_is_built_for_slipway_itself_is_pruned_and_tells_stacks_apart=(
            KINDS, "site.acme,\n        built=True", "site.acme,\n        built=False"),
        the_limits_of_all_containers_are_what_the_site_is_said_to_need=(
            KINDS, "lambda site: site.postgres.memory", "lambda site: 0"),
    ),
    *of(
        "architecture_page",
        the_page_shows_the_program_as_it_is=(TOPOLOGY, "name=PUBLIC, internal=False", "name=PUBLIC, internal=True"),
        the_page_leads_from_each_container_to_its_code=("tests/mocks/diagram.py", "'' if fixed else '-…'", "''"),
        every_file_that_the_page_names_exists=("docs/architecture.md", "engine/filling.py", "engine/gone.py"),
    ),
    *of(
        "layout",
        main_is_a_page=(MAIN, "\nimport pulumi\n", "\n" * 80 + "import pulumi\n"),
        no_file_is_longer_than_a_reader_holds_in_mind=(EDGE, "\nPORT = 80\n", "\n" * 250 + "PORT = 80\n"),
        nothing_needs_a_ps_on_the_engines_host=(
            "slipway/engine/edge.py", 'self.execute(["sh", "-c", WORKERS])[1]', 'str(self.container.top())'),
        only_the_profile_decides_by_the_stacks_name=(
            EDGE, "\nPORT = 80\n", '\nPORT = 80 if pulumi.get_stack() == "prod" else 81\n'),
        components_and_the_program_name_no_service_of_the_site=(EDGE, "GRACE = 5", 'GRACE, UI = 5, "ui"'),
        every_component_is_a_file_of_its_own=(
            EDGE, "\nPORT = 80\n", "\nPORT = 80\n\n\nclass Another(pulumi.ComponentResource):\n    pass\n\n\n"),
    ),
]
