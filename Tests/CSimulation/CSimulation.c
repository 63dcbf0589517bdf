#include "CSimulation.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SWIFT_CC __attribute__((swiftcall))

// swift/stdlib/public/CompatibilityOverride and include/swift/Runtime/Concurrency.h: each hook gets what its function got,
// and that function.
typedef SWIFT_CC void (*enqueue_original)(void *job);
extern SWIFT_CC void (*swift_task_enqueueGlobal_hook)(void *job, enqueue_original original);
extern SWIFT_CC void (*swift_task_enqueueMainExecutor_hook)(void *job, enqueue_original original);

typedef SWIFT_CC void (*delay_original)(unsigned long long delay, void *job);
extern SWIFT_CC void (*swift_task_enqueueGlobalWithDelay_hook)(unsigned long long delay, void *job,
                                                               delay_original original);

typedef SWIFT_CC void (*deadline_original)(long long seconds, long long nanoseconds, long long leeway_seconds,
                                           long long leeway_nanoseconds, int clock, void *job);
extern SWIFT_CC void (*swift_task_enqueueGlobalWithDeadline_hook)(long long seconds, long long nanoseconds,
                                                                  long long leeway_seconds,
                                                                  long long leeway_nanoseconds, int clock, void *job,
                                                                  deadline_original original);

extern SWIFT_CC void swift_job_run(void *job, void *executor_identity, void *executor_implementation);

static _Thread_local csimulation_enqueue thread_enqueue;
static _Thread_local void *thread_context;

static SWIFT_CC void enqueue(void *job, enqueue_original original)
{
    if (thread_enqueue)
        thread_enqueue(thread_context, job);
    else
        original(job);
}

// Nothing that is simulated may wait for a clock of this machine: the same seed would not do the same twice.
static void refuse(void)
{
    fputs("a simulated task sleeps on a real clock\n", stderr);
    abort();
}

static SWIFT_CC void enqueue_with_delay(unsigned long long delay, void *job, delay_original original)
{
    if (thread_enqueue)
        refuse();
    original(delay, job);
}

static SWIFT_CC void enqueue_with_deadline(long long seconds, long long nanoseconds, long long leeway_seconds,
                                           long long leeway_nanoseconds, int clock, void *job,
                                           deadline_original original)
{
    if (thread_enqueue)
        refuse();
    original(seconds, nanoseconds, leeway_seconds, leeway_nanoseconds, clock, job);
}

static void install(void)
{
    swift_task_enqueueGlobal_hook = enqueue;
    swift_task_enqueueMainExecutor_hook = enqueue;
    swift_task_enqueueGlobalWithDelay_hook = enqueue_with_delay;
    swift_task_enqueueGlobalWithDeadline_hook = enqueue_with_deadline;
}

void csimulation_capture(csimulation_enqueue enqueue, void *context)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    thread_context = context;
    thread_enqueue = enqueue;
}

void csimulation_release(void)
{
    thread_enqueue = NULL;
    thread_context = NULL;
}

void csimulation_run(void *job)
{
    swift_job_run(job, NULL, NULL);
}
