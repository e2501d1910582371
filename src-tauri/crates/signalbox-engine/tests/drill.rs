//! Drills, against the built-in simulator over real sockets.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use std::time::Duration;

use signalbox_core::ids::{ModelName, OperationId};
use signalbox_engine::drill::{DrillError, Fault, Plan, Report};
use signalbox_simulator::ErrorKind;
use signalbox_testkit::TestApp;

fn plan(fault: Fault) -> Plan {
    Plan {
        model: ModelName::new("sim-chat").unwrap(),
        fault,
        percent: 100,
        length: Duration::from_mins(10),
        rate: 50,
        operation: OperationId::new("chat_message").unwrap(),
    }
}

/// Waits until the drill has seen `enough`.
async fn until(app: &TestApp, enough: impl Fn(&Report) -> bool) -> Report {
    tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let report = app.engine.drill().unwrap();
            if enough(&report) {
                return report;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_outage_the_next_target_answers_and_afterwards_the_simulator_is_right_again() {
    let app = TestApp::start().await.unwrap();
    app.engine.start_drill(plan(Fault::Outage)).await.unwrap();
    let report = until(&app, |report| report.succeeded >= 3).await;
    assert_eq!(report.failed, 0);
    assert!(report.failed_over >= 1, "{report:?}");
    app.engine.stop_drill();
    until(&app, |report| !report.running).await;
    let dials = app.simulator_dials().unwrap();
    tokio::time::timeout(Duration::from_secs(20), async {
        while !dials.get().per_model.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(dials.get().error, ErrorKind::None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_is_counted_as_failed_because_no_other_target_may_continue_it() {
    let app = TestApp::start().await.unwrap();
    app.engine.start_drill(plan(Fault::CutStreams)).await.unwrap();
    let report = until(&app, |report| report.failed >= 1).await;
    assert_eq!(report.failed_over, 0);
    app.engine.stop_drill();
}

#[tokio::test]
async fn there_is_one_drill_at_a_time_and_only_a_sensible_one() {
    let app = TestApp::start().await.unwrap();
    let quiet = || Plan { rate: 0, ..plan(Fault::Outage) };
    let nobody = ModelName::new("sim-nobody").unwrap();
    let refused = app.engine.start_drill(Plan { model: nobody.clone(), ..quiet() }).await;
    assert_eq!(refused, Err(DrillError::UnknownModel(nobody)));
    let speech = OperationId::new("text_to_speech").unwrap();
    let refused = app.engine.start_drill(Plan { operation: speech.clone(), ..quiet() }).await;
    assert_eq!(refused, Err(DrillError::Operation(speech)));
    for wrong in [
        Plan { percent: 0, ..quiet() },
        Plan { percent: 101, ..quiet() },
        Plan { length: Duration::ZERO, ..quiet() },
        Plan { length: Duration::from_secs(3_601), ..quiet() },
        Plan { rate: 51, ..quiet() },
    ] {
        let refused = app.engine.start_drill(wrong.clone()).await;
        assert!(matches!(refused, Err(DrillError::OutOfRange(_))), "{wrong:?}");
    }
    app.engine.start_drill(quiet()).await.unwrap();
    assert_eq!(app.engine.start_drill(quiet()).await, Err(DrillError::Running));
    app.engine.stop_drill();
    app.engine.start_drill(quiet()).await.unwrap();
}

#[tokio::test]
async fn without_the_simulator_there_is_no_drill() {
    let app = TestApp::builder().without_simulator().start().await.unwrap();
    let refused = app.engine.start_drill(plan(Fault::Outage)).await;
    assert_eq!(refused, Err(DrillError::SimulatorOff));
}
