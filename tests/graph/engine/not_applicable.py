"""Which of graphql-core's execution tests say nothing about our engine, and why: node ids or their beginnings."""

_EXECUTION = "tests/execution"
_BASIC = f"{_EXECUTION}/test_executor.py::describe_execute_handles_basic_execution_tasks"
_BASE = f"{_EXECUTION}/test_executor.py::describe_base_executor_without_incremental_delivery"
_SYNC = f"{_EXECUTION}/test_sync.py::describe_execute_synchronously_when_possible"
_ABRUPT = f"{_EXECUTION}/test_lists.py::describe_execute_handles_abrupt_completion_in_synchronous_iterables"
_ASYNC_LISTS = f"{_EXECUTION}/test_lists.py::describe_execute_accepts_async_iterables_as_list_value"
_NON_NULL = f"{_EXECUTION}/test_nonnull.py::describe_execute_handles_non_nullable_types"
_COMPETING = f"{_NON_NULL}::describe_handles_multiple_errors_for_a_single_response_position"
_INPUTS = f"{_EXECUTION}/test_variables.py::describe_execute_handles_inputs"
_DEEP_VALUES = f"{_EXECUTION}/test_variables.py::describe_too_deeply_nested_variable_values"
_PUBLISH = f"{_EXECUTION}/test_subscribe.py::describe_subscription_publish_phase"
_MUTATIONS = f"{_EXECUTION}/test_mutations.py::describe_execute_handles_mutation_execution_ordering"

NOT_APPLICABLE: dict[str, tuple[str, ...]] = {
    "abort signals: operations are cancelled as tasks are": (
        f"{_EXECUTION}/test_cancellation.py::describe_execute_cancellation",
        f"{_EXECUTION}/test_cancellation.py::describe_abort_reason_traceback",
        f"{_EXECUTION}/test_aborted_graphql_execution_error.py",
    ),
    "execution hooks and helpers for background work": (f"{_EXECUTION}/test_hooks.py",),
    "middleware": (f"{_EXECUTION}/test_middleware.py",),
    "executors of one's own": (
        f"{_EXECUTION}/test_customize.py::describe_customize_execution::uses_a_custom_executor_class",
    ),
    "predicates of one's own for what is awaitable; the engine always asks": (
        f"{_ASYNC_LISTS}::can_customize_detection_of_async_iterables",
        f"{_SYNC}::describe_execute_sync::iterates_sync_and_async_iterables_synchronously_without_check_sync",
        f"{_SYNC}::describe_execute_sync::reports_async_iterables_as_errors_without_check_sync",
        f"{_SYNC}::describe_execute_sync::throws_if_encountering_async_operation_without_check_sync",
        f"{_SYNC}::describe_graphql_sync::throws_if_encountering_async_operation_without_check_sync",
    ),
    "limits and wording of request errors that the engine leaves as they are": (
        f"{_BASIC}::uses_a_different_number_of_max_coercion_errors",
        (
            f"{_INPUTS}::describe_handles_objects_and_nullability::describe_using_variables"
            "::hides_suggestions_for_invalid_default_values_when_specified"
        ),
    ),
    "incremental delivery, which such an execution refuses": (
        f"{_EXECUTION}/test_executor_throwing_on_incremental.py",
        f"{_SYNC}::describe_execute_sync::throws_if_encountering_async_iterable_execution",
        f"{_PUBLISH}::subscribe_function_returns_errors_with_defer",
        f"{_PUBLISH}::subscribe_function_returns_errors_with_stream",
        f"{_MUTATIONS}::mutation_fields_with_defer_do_not_block_next_mutation",
        f"{_MUTATIONS}::mutation_with_defer_is_not_executed_serially",
    ),
    "left to graphql-core: documents with @stream, or with @defer that is not delivered": (
        f"{_BASE}::ignores_defer_directives_on_subfields",
        f"{_BASE}::ignores_stream_directives",
        f"{_PUBLISH}::event_order_is_correct_for_multiple_publishes",
        f"{_PUBLISH}::produces_a_payload_",
        f"{_PUBLISH}::should_not_trigger_when_subscription_is_",
    ),
    "left to graphql-core: variables of fragments": (
        f"{_INPUTS}::describe_using_fragment_arguments",
        (
            f"{_INPUTS}::describe_handles_custom_scalars_with_embedded_variables"
            "::allows_custom_scalars_with_embedded_fragment_variables"
        ),
        (
            f"{_INPUTS}::describe_handles_custom_scalars_with_embedded_variables"
            "::allows_custom_scalars_with_embedded_nested_fragment_variables"
        ),
    ),
    "left to graphql-core: @experimental_disableErrorPropagation": (
        (
            f"{_EXECUTION}/test_error_propagation.py::describe_execute_handles_errors"
            "::with_experimental_disable_error_propagation_returns_null"
        ),
    ),
    "private helpers of graphql-core's executor": (
        f"{_DEEP_VALUES}::does_not_keep_the_frames_of_the_recursion_alive",
        f"{_DEEP_VALUES}::get_variable_values_",
        f"{_BASIC}::memoizes_collect_subfields_results",
        f"{_BASIC}::retains_memoization_keys_until_execution_finishes",
        f"{_BASE}::deduplicates_errors_at_nulled_positions",
    ),
    "documents that are not valid": (
        f"{_INPUTS}::describe_handles_lists_and_nullability::does_not_allow_invalid_types_to_be_used_as_values",
    ),
    "documents so deep that validation refuses them": (
        f"{_EXECUTION}/test_too_deeply_nested_selections.py",
        "tests/test_graphql.py::describe_too_deeply_nested_documents",
    ),
    "a synchronous error stops asynchronous siblings; the engine awaits what it has begun": (
        f"{_BASIC}::handles_sync_errors_combined_with_async_ones",
        f"{_ABRUPT}::handles_sync_errors_with_later_pending_awaitables",
        f"{_EXECUTION}/test_parallel.py::describe_parallel_execution::describe_cancel_on_exception",
    ),
    "a broken list is read on to find awaitables in it; the engine stops where it broke": (
        f"{_ABRUPT}::drains_the_iterator_when_next_throws",
        f"{_ABRUPT}::handles_iterator_errors_with_later_pending_awaitables",
    ),
    "which of several asynchronous errors comes first, or at all, is a matter of time there and of place here": (
        f"{_ASYNC_LISTS}::handles_mixture_of_sync_and_async_errors_in_async_iterables",
        f"{_NON_NULL}::describe_nulls_a_complex_tree_of_nullable_fields_each::throws",
        f"{_COMPETING}::nullable_and_non_nullable_root_fields_throw_nested_errors",
        f"{_COMPETING}::slower_nullable_after_non_nullable_root_field",
        f"{_COMPETING}::nullable_and_non_nullable_nested_fields_throw_nested_errors",
        f"{_COMPETING}::slower_nullable_after_non_nullable_nested_field",
    ),
}
