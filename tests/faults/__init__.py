"""What may go wrong, and the test that proves what happens then.

Each row is a fault; below it stand the tests that bring it about, with real processes and a real
server, and prove that it happened. `test_table` proves that they are there. Tests of this folder
need whole runners; those of one part lie with that part. A new row is a test with `host` (a runner
on the run's server) or `own_host` (on one that may be harmed), a ledger of what jobs did, and
`wait_until` a fact; then its line here.

Processes

kill -9 of a worker
    mid-job: process/test_exits::test_a_killed_worker_is_replaced_within_a_second_and_its_job_is_run_again
    between take and run: faults/test_moments::test_killed_between_take_and_run
    between run and acknowledge: faults/test_moments::test_killed_between_run_and_acknowledge
    within the middleware: faults/test_moments::test_killed_before_the_function_is_called
    idle: process/test_exits::test_an_idle_worker_that_is_killed_blames_no_job
    five a second: chaos/test_short::test_killed_workers_lose_nothing
kill -9 of the supervisor
    process/test_stopping::test_when_the_supervisor_is_killed_idle_workers_go_and_busy_ones_finish
    process/test_stopping::test_a_new_supervisor_takes_over_at_once_but_not_a_number_that_is_at_work
    process/test_stopping::test_the_timeout_of_a_job_outlives_the_supervisor
kill -9 of the heartbeat process, which tells that its runner lives
    faults/test_fleet::test_a_heartbeat_process_that_is_killed_is_replaced_in_time
    process/test_supervisor::test_the_pauses_of_a_child_grow_no_longer_than_they_may
TERM and INT, to the supervisor and to its whole group
    process/test_stopping::test_a_running_job_comes_to_its_end
    process/test_stopping::test_a_job_that_may_be_killed_is_and_goes_back_uncounted
    process/test_stopping::test_the_stop_timeout_bounds_a_stop
    process/test_stopping::test_an_idle_runner_stops_at_once
    process/test_stopping::test_workers_stop_while_the_server_is_away
    a rolling restart: chaos/test_short::test_rolling_restarts_lose_and_double_nothing
a job exits
    process/test_exits::test_a_job_that_exits_fails_and_its_worker_stays
a job takes its worker down
    process/test_exits::test_a_job_that_takes_its_worker_down_becomes_a_failed_job
    by the kernel: process/test_exits::test_a_job_that_the_kernel_kills_for_its_memory
    process/test_exits::test_where_a_job_runs_once_at_most_its_death_is_not_silent
    whole machines: backends/test_owners::test_a_job_that_takes_whole_machines_down_is_a_failed_job_in_the_end
a job is over its time, also in C
    process/test_exits::test_a_job_over_its_time_is_killed_with_all_it_started
    process/test_stopping::test_a_job_over_its_time_while_the_runner_stops_is_a_failed_job
a job leaks memory
    process/test_exits::test_a_worker_leaves_after_its_jobs_and_the_next_one_goes_on
a job forks
    process/test_exits::test_a_child_that_comes_back_from_a_job_ends_at_once
    process/test_starting::test_orphans_of_jobs_are_reaped
connections that were open before the fork
    faults/test_database::test_workers_do_not_share_a_pool_of_connections
a heartbeat process hangs
    faults/test_fleet::test_a_heartbeat_process_that_hangs_is_replaced_in_time
a job changes its process
    process/test_exits::test_what_a_job_changes_in_its_process_is_put_right
    process/test_exits::test_nothing_that_is_printed_reaches_a_server
tasks that do not import
    faults/test_data::test_tasks_that_do_not_import_are_refused_at_the_start
    later deaths: process/test_supervisor::test_a_child_that_dies_young_is_started_again_in_growing_pauses
PID 1, and TERM at any moment of the start
    process/test_starting::test_as_pid_1
HUP
    process/test_starting::test_hup_becomes_the_new_configuration_under_the_same_pid
    process/test_starting::test_hup_keeps_the_pidfile

The server

restarted, killed, silent
    faults/test_outages::test_the_server_is_away
    faults/test_outages::test_what_was_acknowledged_outlives_the_server
    at the start: process/test_starting::test_a_server_that_is_away_at_the_start_is_waited_for
    producers: faults/test_outages::test_a_producer_fails_fast_and_says_what_became_of_its_job
full
    faults/test_outages::test_a_full_server_drains
    backends/test_faults::test_a_full_server_drains_and_says_why_it_takes_no_more
it takes nothing: another password, fewer permissions, a full disk, too many connections
    faults/test_outages::test_a_server_that_refuses_is_waited_for
    backends/test_acl::test_a_permission_that_a_script_misses_is_named
a read-only replica
    faults/test_outages::test_a_primary_that_becomes_a_replica_is_waited_for
    backends/test_faults::test_a_replica_is_left
half-open connections
    faults/test_outages::test_the_heartbeat_process_notices_silence_before_its_last_heartbeat_expires
    backends/test_faults::test_a_half_open_connection_is_noticed
    backends/test_faults::test_a_silent_server_keeps_no_worker_from_exiting
a reply that is lost
    backends/test_faults::test_the_reply_to_an_enqueue_is_lost
    backends/test_faults::test_the_reply_to_a_cron_enqueue_is_lost
    backends/test_faults::test_the_reply_to_a_take_is_lost
    backends/test_faults::test_the_reply_to_an_acknowledgement_is_lost
    backends/test_faults::test_the_reply_to_a_failure_is_lost
CLIENT KILL, SCRIPT FLUSH, FLUSHALL, BUSY, LOADING
    faults/test_outages::test_what_operators_do
    backends/test_faults::test_a_server_that_loads_its_data_is_waited_for
idle for long
    faults/test_outages::test_idle_workers_are_no_trouble
a pause while workers block
    faults/test_data::test_no_job_starts_after_pause_has_returned
    backends/test_faults::test_no_job_starts_after_a_pause_has_returned
a backlog of a million
    faults/test_backlog::test_no_command_takes_long
    backends/test_deduplicate::test_steps_are_short_at_100_000_jobs

Data

bytes that are no job
    chaos/test_short::test_mutated_payloads_become_failed_jobs
    process/test_exits::test_what_is_no_job_is_a_failed_job
    backends/test_faults::test_bytes_that_are_no_job_are_kept_as_failed_jobs
a task that is gone, has changed, raises
    process/test_exits::test_a_job_that_raises_is_a_failed_job_with_its_traceback
    faults/test_data::test_a_failed_job_is_retried_after_the_fix
    with retries: faults/test_data::test_a_retry_outlives_its_runner_and_its_server
    where they cannot be kept: cli/test_plan::test_e307_retries_that_the_backend_cannot_keep
arguments that JSON cannot carry
    unit/test_job::test_arguments_that_json_cannot_carry_are_refused
    unit/test_job::test_a_refused_argument_is_named_by_its_place
a bulk_enqueue block raises
    faults/test_outages::test_a_bulk_block_that_raises_sends_nothing_more
middleware raises
    process/test_execution::test_middleware_that_raises_changes_nothing
files that cannot be written
    process/test_starting::test_files_that_cannot_be_written_are_reported_at_the_start
    process/test_starting::test_a_touch_file_that_cannot_be_written_loses_no_job
    the log: process/test_starting::test_a_log_on_a_full_disk_keeps_nobody_from_working
the database goes away
    faults/test_database::test_the_next_job_gets_a_fresh_connection
    faults/test_database::test_a_job_whose_database_is_away_is_a_failed_job
    process/test_lazy_transaction::test_connections_are_closed_between_jobs_by_their_age

Time and cron

a tick that is late
    cron/test_firing::test_a_suspended_scheduler_misses_no_minute
    cron/test_firing::test_a_run_outlives_an_outage_of_the_server
two schedulers
    cron/test_firing::test_four_schedulers_enqueue_each_run_once
a scheduler that is killed
    cron/test_firing::test_a_run_that_a_killed_scheduler_missed_is_caught_up_once
    cron/test_firing::test_no_run_is_lost_or_doubled_while_schedulers_are_killed
    cron/test_pool::test_a_scheduler_that_hangs_or_dies_is_replaced
a row that fails
    cron/test_firing::test_a_row_that_fails_leaves_the_others_alone_and_is_tried_again
clocks that jump, and their changes (a time that comes in, not the clock of this host)
    cron/test_scheduler::test_a_clock_that_jumps_back_repeats_nothing_and_stops_nothing
    cron/test_schedule::test_due_agrees_with_watching_each_minute_around_all_clock_changes

Fleet

one number on two machines
    faults/test_fleet::test_the_same_number_on_two_machines
    backends/test_owners::test_two_runners_on_the_same_numbers_run_each_job_once
an exact machine beside a pool
    faults/test_fleet::test_an_exact_machine_beside_a_pool
a pool of three becomes one of two
    faults/test_fleet::test_a_pool_of_three_becomes_one_of_two
a machine that is gone for good
    faults/test_fleet::test_machines_that_are_gone_for_good
a queue that is no longer configured
    process/test_start_findings::test_w403_a_queue_with_jobs_and_no_worker
    cli/test_status::test_w502_jobs_without_a_worker
a fleet with 4.11
    compat/test_exchange::test_a_mixed_pool_runs_every_job_once
    compat/test_exchange::test_a_job_of_a_killed_worker_is_resumed
    backends/test_owners::test_the_list_of_a_live_4_11_worker_is_left_alone

Safety

only tasks run, only commands that rows name
    process/test_execution::test_what_is_no_task_is_not_run
    unit/test_find_task::test_nothing_outside_of_apps_is_imported
    cron/test_execute::test_only_commands_that_a_row_or_the_setting_names_are_run
hostile text
    faults/test_text::test_job_text_reaches_people_only_escaped
    faults/test_text::test_names_of_queues_reach_people_only_escaped
secrets
    faults/test_secrets::test_no_verb_prints_a_secret
    faults/test_secrets::test_no_error_prints_a_secret
    faults/test_secrets::test_no_runner_prints_a_secret
metrics on loopback
    faults/test_data::test_metrics_listen_on_loopback_only
the debug view
    compat/test_debug_view::test_post_needs_the_token_of_the_form
    compat/test_debug_view::test_without_debug_there_is_no_such_page
the rule for the server's users
    backends/test_acl::test_the_rule_allows_what_dlq_does_and_no_more
    examples/test_access::test_a_user_can_do_no_more

What no test here produces: a wall clock of the host that jumps, and a host that loses its power (a
proxy that swallows everything, and a host name of its own with all processes killed, stand for it).
Where no control group can be made, the kernel's own out-of-memory kill is left out, too, and a
SIGKILL stands for it.
"""  # noqa: E501 (names of tests)
