// What a thread asks of the scheduler, so that those who serve clients come before those who tidy
// up. Both are requests: where they are not granted, nothing changes.
//
// Concurrency: each is about the calling thread.
#pragma once

namespace larder {

// For a thread that clients wait for: short turns, often. Linux (from 6.12 on) lets it in before
// those with longer turns have finished theirs, so a request does not wait for milliseconds because
// another thread, of ours or not, has just begun to use the processor. Its share stays the same.
void AskForShortTurns();

// For a thread that nobody waits for: a tenth of the share that others get where all want the
// processor, and all of it where they do not.
void GiveWayToOthers();

}  // namespace larder
