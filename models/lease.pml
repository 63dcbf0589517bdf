/*
 * The lease: two replicas, one row, clocks that drift, pauses of any length, commits of which nobody knows whether they
 * took place, and that may take place later. docs/lease.md explains it; `make model` checks it.
 *
 * A replica is what Sources/Manager/Election is. Whatever it does not do at once it may do much later, or never: a pause.
 */

/*
 * In ticks of a replica's own clock. Of what is left of TTL after DEADLINE one tick is for the guard to let the groups go,
 * the rest for the drift of the clocks.
 */
#ifndef TTL
#define TTL 5
#endif
#define DEADLINE 2
/* Acquisitions, in the runs that look for a wrong step. */
#ifndef EPOCHS
#define EPOCHS 2
#endif

#define NOBODY 2

mtype = { WATCHING, READING, ACQUIRING, LEADING, RESIGNING };
mtype = { NONE, ACQUIRE, RENEW, WRITE, RELEASE };
mtype = { STORED, REFUSED, FAILED, UNKNOWN };

/* The row. Instead of a sequence that rises for ever: whether it is still what somebody has read. */
byte holder = NOBODY;
byte epoch = 0;
byte written = 0; /* the newest epoch of which a write was accepted */

/* The replicas. */
mtype state[2] = WATCHING;
byte own[2];   /* the epoch in which it leads */
byte left[2];  /* until its deadline */
bool holds[2]; /* its plugin has groups */

/* What it watches. */
bool same[2];     /* the row is as it was last read */
byte waited[2];   /* since that was first read */
bool current[2];  /* the row is as this reading finds it */
bool unchanged[2]; /* this reading found what the last one had */
byte atStart[2];  /* `waited` when this reading began */
byte readHolder[2];
byte readEpoch[2];

/* What it has asked of the database: one write at a time, as its connection does. */
mtype request[2] = NONE;
byte asked[2];     /* the epoch that the request names */
bool expected[2];  /* the row is as it was when the request was made */
bool waits[2];     /* for the answer */
mtype reply[2] = NONE; /* carried out, and the answer is on its way */
byte since[2];     /* since it was asked for */
/* Only within a step. */
bool isLate[2];
bool isGivenBack[2];

bool ahead[2];  /* whose clock is ahead: by a tick at most, so that over any time they differ by two. An assumption */

#ifdef LIVENESS
/* So many things may go wrong, at any moments; after that everybody is in time and nothing fails. */
#ifndef FAULTS
#define FAULTS 4
#endif
byte faults = FAULTS;
bool isDone[2]; /* what there is to do in this tick */
#define mayFail (faults > 0)
#define fail faults--
#define mayGoOn(i) !isDone[i]
#define done(i) isDone[i] = true
#define undone(i) isDone[i] = false
#else
#define mayFail true
#define fail skip
#define mayGoOn(i) true
#define done(i) skip
#define undone(i) skip
#endif

#if defined(WALL_CLOCK)
/* Another host's time says nothing: any row may look as if it had run out. */
#define isFree(i) true
#elif defined(NO_TAKEOVER)
#define isFree(i) (readHolder[i] == NOBODY)
#elif defined(EARLY)
#define isFree(i) (readHolder[i] == NOBODY || atStart[i] >= DEADLINE)
#else
#define isFree(i) (readHolder[i] == NOBODY || atStart[i] >= TTL)
#endif

#ifdef LIVENESS
/* For ever, so that numbers come again; what they say of the past is checked by the other runs. */
#define mayTry(i) true
#define next(number) ((number + 1) % 4)
#else
/* That the first is replica 0 is no loss: they are the same. */
#define mayTry(i) (readEpoch[i] < EPOCHS && (i == 0 || readEpoch[i] > 0))
#define next(number) (number + 1)
#endif

#ifdef FLAG
#define acts(i) (state[i] == LEADING)
#else
#define acts(i) (state[i] == LEADING && left[i] > 0)
#endif

inline rowChanged() {
    same[0] = false; same[1] = false;
    current[0] = false; current[1] = false;
    expected[0] = false; expected[1] = false
}

inline ask(i, what, named) {
    request[i] = what; asked[i] = named; waits[i] = true; since[i] = 0
}

inline watch(i) {
    state[i] = WATCHING; same[i] = false; waited[i] = 0; own[i] = 0; done(i);
    if
    :: holds[i] -> skip
    :: else -> left[i] = 0
    fi
}

inline endReading(i) {
    current[i] = false; unchanged[i] = false; atStart[i] = 0; readHolder[i] = 0; readEpoch[i] = 0
}

/* ---- The database: each transaction at one moment, whenever that is. */

inline commit(i) {
    if
    :: request[i] == ACQUIRE ->
        if
#ifdef NO_COMPARE
        :: true ->
#else
        :: expected[i] ->
#endif
#ifndef LIVENESS
            assert(asked[i] > epoch); /* epochs only rise, and each is given once */
#endif
            epoch = asked[i]; holder = i; rowChanged(); reply[i] = STORED
#ifndef NO_COMPARE
        :: else -> reply[i] = REFUSED
#endif
        fi
    :: request[i] == RENEW ->
        if
        :: holder == i && epoch == asked[i] -> rowChanged(); reply[i] = STORED
        :: else -> reply[i] = REFUSED
        fi
    :: request[i] == RELEASE ->
        if
        :: holder == i && epoch == asked[i] -> holder = NOBODY; rowChanged(); reply[i] = STORED
        :: else -> reply[i] = REFUSED
        fi
    :: request[i] == WRITE ->
        if
#ifdef NO_FENCE
        :: true ->
#else
        :: holder == i && epoch == asked[i] ->
#endif
            assert(holder == i && epoch == asked[i]); /* no write of an epoch that is over */
#ifndef LIVENESS
            assert(asked[i] >= written);
            written = asked[i];
#endif
            reply[i] = STORED
#ifndef NO_FENCE
        :: else -> reply[i] = REFUSED
#endif
        fi
    fi;
    expected[i] = false;
    if
    :: waits[i] -> skip
    :: else -> request[i] = NONE; reply[i] = NONE; asked[i] = 0
    fi
}

/* ---- What a replica makes of an answer. */

inline answered(i, answer) {
    if
    :: !waits[i] -> skip
    :: waits[i] && request[i] == ACQUIRE && state[i] == ACQUIRING ->
        if
#ifdef AMBIGUOUS
        :: (answer == STORED || answer == UNKNOWN) && since[i] < DEADLINE ->
#else
        :: answer == STORED && since[i] < DEADLINE ->
#endif
            state[i] = LEADING; own[i] = asked[i];
#ifdef LATE_DEADLINE
            left[i] = DEADLINE
#else
            left[i] = DEADLINE - since[i]
#endif
        :: answer == STORED && since[i] >= DEADLINE ->
#ifdef LATE_DEADLINE
            state[i] = LEADING; own[i] = asked[i]; left[i] = DEADLINE
#else
            /* Too late. Nothing was done in this term, so it is given back. */
            watch(i); request[i] = RELEASE; isGivenBack[i] = true
#endif
        :: else -> watch(i)
        fi
    :: waits[i] && request[i] == RENEW && state[i] == LEADING ->
        if
        :: left[i] == 0 || answer == REFUSED -> state[i] = RESIGNING
#ifdef AMBIGUOUS
        :: left[i] > 0 && (answer == STORED || answer == UNKNOWN) ->
#else
        :: left[i] > 0 && answer == UNKNOWN -> state[i] = RESIGNING
        :: left[i] > 0 && answer == STORED ->
#endif
#ifdef LATE_DEADLINE
            left[i] = DEADLINE
#else
            if
            :: since[i] < DEADLINE -> left[i] = DEADLINE - since[i]
            :: else -> left[i] = 0; state[i] = RESIGNING
            fi
#endif
        :: left[i] > 0 && answer == FAILED -> skip /* the lock was busy: it tries again */
        fi
    :: waits[i] && request[i] == RENEW && state[i] == RESIGNING ->
        /* While its groups are being let go in order. What is not known to be renewed is not. */
        if
#ifdef KEEP_UNKNOWN
        :: left[i] > 0 && (answer == STORED || answer == UNKNOWN) -> left[i] = DEADLINE
#else
        :: left[i] > 0 && answer == STORED && since[i] < DEADLINE -> left[i] = DEADLINE - since[i]
#endif
        :: else -> skip
        fi
    :: else -> skip
    fi;
    waits[i] = false; since[i] = 0;
    if
    :: isLate[i] || isGivenBack[i] -> isGivenBack[i] = false
    :: else -> request[i] = NONE; asked[i] = 0; expected[i] = false
    fi;
    reply[i] = NONE
}

proctype Database(byte i) {
end:
    do
    :: d_step { request[i] != NONE && reply[i] == NONE -> commit(i) }
    :: d_step { reply[i] != NONE -> answered(i, reply[i]) }
    :: d_step { reply[i] != NONE && mayFail -> fail; answered(i, UNKNOWN) } /* the answer is lost */
    :: d_step { request[i] != NONE && reply[i] == NONE && mayFail -> fail; answered(i, FAILED) } /* known not to happen */
    :: d_step { request[i] != NONE && reply[i] == NONE && waits[i] && mayFail ->
        /* No answer in time. It may be carried out later, or never. */
        fail; isLate[i] = true; answered(i, UNKNOWN); isLate[i] = false }
    od
}

/* ---- A replica. */

proctype Replica(byte i) {
end:
    do
    /* Follow: read the row, and take over when it is free or has stood still for a ttl, between two readings. */
    :: d_step { state[i] == WATCHING && mayGoOn(i) ->
        state[i] = READING; current[i] = true; unchanged[i] = same[i]; atStart[i] = waited[i];
        readHolder[i] = holder; readEpoch[i] = epoch }
    :: d_step { state[i] == READING ->
        if
        :: unchanged[i] -> skip
        :: else -> waited[i] = 0; atStart[i] = 0
        fi;
        same[i] = current[i];
        done(i);
        if
        :: request[i] == NONE && mayTry(i) && isFree(i) ->
            ask(i, ACQUIRE, next(readEpoch[i]));
            expected[i] = current[i]; state[i] = ACQUIRING; same[i] = false; waited[i] = 0
        :: else -> state[i] = WATCHING
        fi;
        endReading(i) }
    :: d_step { state[i] == READING && mayFail -> fail; state[i] = WATCHING; endReading(i) } /* it could not be read */

    /* Lead. */
    :: d_step { acts(i) && !holds[i] -> holds[i] = true } /* tell the plugin its groups */
    :: d_step { state[i] == LEADING && left[i] > 0 && request[i] == NONE && mayGoOn(i) ->
        done(i); ask(i, RENEW, own[i]) }
#ifndef LIVENESS
    :: d_step { state[i] == LEADING && left[i] > 0 && request[i] == NONE ->
        ask(i, WRITE, own[i]); waits[i] = false }
#endif
    /* Stop: at the deadline, or because somebody wants it. */
#ifndef FLAG
    :: d_step { state[i] == LEADING && left[i] == 0 -> state[i] = RESIGNING }
#endif
    :: d_step { state[i] == LEADING && mayFail -> fail; state[i] = RESIGNING }

    /* Let the groups go, then release. */
#ifdef RELEASE_FIRST
    :: d_step { state[i] == RESIGNING && request[i] == NONE -> ask(i, RELEASE, own[i]); waits[i] = false; watch(i) }
#else
    :: d_step { state[i] == RESIGNING && left[i] > 0 && holds[i] && request[i] == NONE && mayGoOn(i) ->
        done(i); ask(i, RENEW, own[i]) } /* letting go takes long, and nobody is to take over meanwhile */
    :: d_step { state[i] == RESIGNING && holds[i] -> holds[i] = false }
    :: d_step { state[i] == RESIGNING && !holds[i] && request[i] == NONE ->
        ask(i, RELEASE, own[i]); waits[i] = false; watch(i) }
    :: d_step { state[i] == RESIGNING && !holds[i] && request[i] != NONE -> watch(i) }
#endif

    /* Killed, and started again: what it had asked for may still be carried out. Its guard hears of it. */
    :: d_step { state[i] == LEADING && mayFail ->
        fail; watch(i); left[i] = 0; waits[i] = false; since[i] = 0 }
    od
}

#ifdef LIVENESS
#define rests(i) (isDone[i] && request[i] == NONE && (state[i] == WATCHING || state[i] == LEADING))
#define isTickOver (rests(0) && rests(1))
#else
#define isTickOver true
#endif

/* A tick of a replica's clock. It waits for nobody: whoever has not done something by then has paused. */
proctype Clock(byte i) {
end:
    do
    :: d_step { !ahead[i] && (isTickOver || mayFail) ->
        if :: isTickOver :: else -> fail fi; /* somebody is late */
        if
        :: ahead[1 - i] -> ahead[1 - i] = false
        :: else -> ahead[i] = true
        fi;
        if :: (same[i] || state[i] == READING) && waited[i] < TTL -> waited[i]++ :: else fi;
        if :: waits[i] && since[i] < DEADLINE -> since[i]++ :: else fi;
#ifndef NO_GUARD
        /* The guard process lets the groups go after the deadline, or the end of the manager: here as late as it may. */
        if
        :: left[i] == 0 && holds[i] -> holds[i] = false
        :: else
        fi;
#endif
        if :: left[i] > 0 -> left[i]-- :: else fi;
        undone(i) }
    od
}

/* ---- What must hold. */

proctype Monitor() {
end:
    atomic { (acts(0) && acts(1)) || (holds[0] && holds[1]) || (acts(0) && holds[1]) || (acts(1) && holds[0]) ->
        assert(false) } /* at most one replica acts, and at most one plugin has groups */
}

#ifdef LIVENESS
#define leads (state[0] == LEADING || state[1] == LEADING)
ltl somebodyLeads { <> [] leads }
#endif

init {
    atomic {
        run Database(0); run Database(1); run Replica(0); run Replica(1);
        run Clock(0); run Clock(1);
        run Monitor()
    }
}
