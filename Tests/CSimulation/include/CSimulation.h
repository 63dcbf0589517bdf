// What Swift cannot say: the hooks of its runtime, and how a job is run.

#pragma once

/// Takes a job that is ready to run.
typedef void (*csimulation_enqueue)(void *context, void *job);

/// From now on, jobs that become ready on this thread are not run by Swift's thread pool but given to `enqueue`. Other
/// threads are not touched.
void csimulation_capture(csimulation_enqueue enqueue, void *context);

/// The end of that.
void csimulation_release(void);

/// Runs a job on this thread, until it ends or waits.
void csimulation_run(void *job);
