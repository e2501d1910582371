//! The breaker against a plain model over long random histories of interleaved calls.
//!
//! The model keeps everything that ever happened and derives each answer from the rules anew; the breaker keeps state.
//! `PROPTEST_CASES` makes the run longer.

use super::*;

const STEPS: usize = 400;

/// What one step does. Numbers pick among the calls on their way.
#[derive(Debug, Clone, Copy)]
enum Step {
    Wait(i64),
    Permit,
    PermitLastResort,
    Succeed(usize),
    Fail(usize, FailedCall),
    Cancel(usize),
    Lose(usize),
    Hold,
    Reset,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = proptest::sample::select(FailureKind::ALL);
    let retry_after = proptest::option::weighted(0.5, 0..120 * MICROS_PER_SECOND);
    let call = (kind, retry_after).prop_map(|(kind, retry_after_us)| FailedCall {
        kind,
        retry_after_us,
        request: None,
    });
    prop_oneof![
        6 => prop_oneof![Just(0), 0..3_i64, 0..400_i64].prop_map(Step::Wait),
        8 => Just(Step::Permit),
        1 => Just(Step::PermitLastResort),
        4 => any::<usize>().prop_map(Step::Succeed),
        6 => (any::<usize>(), call).prop_map(|(which, call)| Step::Fail(which, call)),
        2 => any::<usize>().prop_map(Step::Cancel),
        1 => any::<usize>().prop_map(Step::Lose),
        1 => proptest::bool::weighted(0.1).prop_map(|hold| if hold { Step::Hold } else { Step::Reset }),
        1 => Just(Step::Restart),
    ]
}

/// Everything since the circuit's last move.
#[derive(Debug)]
struct Model {
    circuit: Circuit,
    moved_at: Timestamp,
    /// Which period between moves and resets this is.
    period: u32,
    /// Failures that spoke against the target, in this period.
    against: Vec<Timestamp>,
    unnamed_limits: Vec<Timestamp>,
    /// Ends of every cool-down since the last reset or closing.
    cool_downs: Vec<Timestamp>,
    key_refused: bool,
    /// The call that may decide, and when it began.
    probe: Option<(usize, Timestamp)>,
}

/// A call on its way: the breaker's permit, and what the model knows of it.
struct Call {
    permit: Permit,
    number: usize,
    period: u32,
}

impl Model {
    fn new() -> Self {
        Self {
            circuit: Circuit::Closed,
            moved_at: at(0),
            period: 0,
            against: Vec::new(),
            unnamed_limits: Vec::new(),
            cool_downs: Vec::new(),
            key_refused: false,
            probe: None,
        }
    }

    fn cooling(&self, now: Timestamp) -> bool {
        self.cool_downs.iter().any(|until| *until > now)
    }

    fn is_open(&self, now: Timestamp) -> bool {
        self.circuit == Circuit::Open && now < self.moved_at.plus_micros(300 * MICROS_PER_SECOND)
    }

    fn is_probing(&self, now: Timestamp) -> bool {
        self.probe.is_some_and(|(_, began)| now < began.plus_micros(PROBE_EXPIRES_US))
    }

    fn block(&self, now: Timestamp) -> Option<Block> {
        if self.circuit == Circuit::Held {
            Some(Block::Held)
        } else if self.is_open(now) && self.key_refused {
            Some(Block::InvalidKey)
        } else if self.cooling(now) {
            Some(Block::CoolingDown)
        } else if self.is_open(now) {
            Some(Block::CircuitOpen)
        } else if self.circuit == Circuit::HalfOpen && self.is_probing(now) {
            Some(Block::Probing)
        } else {
            None
        }
    }

    fn go(&mut self, to: Circuit, now: Timestamp) -> (Circuit, Circuit) {
        let from = std::mem::replace(&mut self.circuit, to);
        self.moved_at = now;
        self.new_period();
        (from, to)
    }

    fn new_period(&mut self) {
        self.period += 1;
        self.against.clear();
        self.probe = None;
    }

    fn forget(&mut self) {
        self.cool_downs.clear();
        self.unnamed_limits.clear();
        self.key_refused = false;
        self.against.clear();
    }

    fn decides(&self, call: &Call) -> bool {
        self.probe.is_some_and(|(number, _)| number == call.number)
    }

    fn fail(&mut self, call: &Call, failed: FailedCall, now: Timestamp) -> Option<(Circuit, Circuit)> {
        let decides = self.decides(call);
        let ordinary = self.circuit == Circuit::Closed && call.period == self.period;
        if !decides && !ordinary {
            return None;
        }
        let named = failed.retry_after_us.filter(|wait| *wait > 0);
        let window = 300 * MICROS_PER_SECOND;
        let recent =
            |times: &[Timestamp]| times.iter().filter(|time| now.micros_since(**time) < window).count();
        let against = match failed.kind {
            FailureKind::BadRequest
            | FailureKind::ContentFilter
            | FailureKind::ContextLength
            | FailureKind::Unsupported => false,
            FailureKind::RateLimit => {
                self.cool_downs.push(now.plus_micros(named.unwrap_or(COOL_DOWN_UNNAMED_US)));
                if named.is_some() {
                    false
                } else {
                    let repeated = recent(&self.unnamed_limits) > 0;
                    self.unnamed_limits.push(now);
                    decides || repeated
                }
            }
            kind => {
                if let (FailureKind::Overloaded, Some(wait)) = (kind, named) {
                    self.cool_downs.push(now.plus_micros(wait));
                }
                self.key_refused |= kind == FailureKind::InvalidKey;
                true
            }
        };
        if !against {
            if decides {
                self.probe = None;
            }
            return None;
        }
        self.against.push(now);
        let opens = decides || failed.kind == FailureKind::InvalidKey || recent(&self.against) >= 3;
        opens.then(|| self.go(Circuit::Open, now))
    }
}

const LEGAL: [(Circuit, Circuit); 10] = [
    (Circuit::Closed, Circuit::Open),
    (Circuit::Open, Circuit::HalfOpen),
    (Circuit::HalfOpen, Circuit::Open),
    (Circuit::HalfOpen, Circuit::Closed),
    (Circuit::Closed, Circuit::Held),
    (Circuit::Open, Circuit::Held),
    (Circuit::HalfOpen, Circuit::Held),
    (Circuit::Held, Circuit::Closed),
    (Circuit::Open, Circuit::Closed),
    (Circuit::HalfOpen, Circuit::Closed),
];

fn play(steps: &[Step]) -> Result<(), TestCaseError> {
    let (mut breaker, mut model) = (Breaker::default(), Model::new());
    let mut calls: Vec<Call> = Vec::new();
    let (mut now, mut number) = (at(0), 0);
    for step in steps {
        let before = breaker.circuit();
        let pick = |which: usize, calls: &mut Vec<Call>| {
            (!calls.is_empty()).then(|| calls.swap_remove(which % calls.len()))
        };
        let (transition, expected) = match *step {
            Step::Wait(seconds) => {
                now = now.plus_micros(seconds * MICROS_PER_SECOND);
                (None, None)
            }
            Step::Permit | Step::PermitLastResort => {
                let last = matches!(step, Step::PermitLastResort);
                let block = model.block(now);
                let passes = last && matches!(block, Some(Block::CircuitOpen | Block::Probing));
                prop_assert_eq!(breaker.check(SETTINGS, now).err().map(|blocked| blocked.why), block);
                let result = if last {
                    breaker.permit_last_resort(SETTINGS, now)
                } else {
                    breaker.permit(SETTINGS, now)
                };
                match result {
                    Err(blocked) => {
                        prop_assert!(!passes);
                        prop_assert_eq!(Some(blocked.why), block);
                        prop_assert!(blocked.until.is_none_or(|until| until > now));
                        (None, None)
                    }
                    Ok(Permitted { permit, transition }) => {
                        prop_assert!(block.is_none() || passes);
                        number += 1;
                        let beside = block == Some(Block::Probing);
                        let is_probe = model.circuit != Circuit::Closed && !beside;
                        prop_assert_eq!(permit.is_probe(), is_probe);
                        let expected =
                            (model.circuit == Circuit::Open).then(|| model.go(Circuit::HalfOpen, now));
                        if is_probe {
                            model.probe = Some((number, now));
                        }
                        calls.push(Call { permit, number, period: model.period });
                        (transition, expected)
                    }
                }
            }
            Step::Succeed(which) => match pick(which, &mut calls) {
                None => (None, None),
                Some(call) => {
                    let expected = model.decides(&call).then(|| {
                        model.forget();
                        model.go(Circuit::Closed, now)
                    });
                    (breaker.succeeded(call.permit, now), expected)
                }
            },
            Step::Fail(which, failed) => match pick(which, &mut calls) {
                None => (None, None),
                Some(call) => {
                    let expected = model.fail(&call, failed, now);
                    (breaker.failed(call.permit, failed, SETTINGS, now), expected)
                }
            },
            Step::Cancel(which) => {
                if let Some(call) = pick(which, &mut calls) {
                    if model.decides(&call) {
                        model.probe = None;
                    }
                    breaker.cancelled(call.permit);
                }
                (None, None)
            }
            Step::Lose(which) => {
                pick(which, &mut calls);
                (None, None)
            }
            Step::Hold => {
                let expected = (model.circuit != Circuit::Held).then(|| model.go(Circuit::Held, now));
                (breaker.hold(now), expected)
            }
            Step::Reset => {
                model.forget();
                let expected = (model.circuit != Circuit::Closed).then(|| model.go(Circuit::Closed, now));
                if expected.is_none() {
                    model.new_period();
                }
                (breaker.reset(now), expected)
            }
            Step::Restart => {
                breaker = serde_json::from_str(&serde_json::to_string(&breaker).unwrap()).unwrap();
                model.probe = None;
                calls.clear();
                (None, None)
            }
        };
        let moved = transition.as_ref().map(|transition| (transition.from, transition.to));
        prop_assert_eq!(moved, expected);
        prop_assert_eq!(breaker.circuit(), model.circuit);
        match moved {
            None => prop_assert_eq!(breaker.circuit(), before, "it moved without saying so"),
            Some(moved) => {
                prop_assert_eq!(moved.0, before);
                prop_assert!(LEGAL.contains(&moved), "illegal: {:?}", moved);
            }
        }
        if let Some(transition) = transition {
            prop_assert_eq!(transition.at, now);
            prop_assert_eq!(transition.to == Circuit::Open, !transition.failures.is_empty());
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_history_of_interleaved_calls_makes_an_illegal_move(steps in proptest::collection::vec(step(), STEPS)) {
        play(&steps)?;
    }
}
