//! Several nodes on one `PostgreSQL`, over real sockets.

#![expect(clippy::unwrap_used, reason = "tests stop at the first fault")]

use std::time::{Duration, Instant};

use signalbox_app::{App, Caller, Source, dto, kill_switch};
use signalbox_core::budget::{Budget, Limits, Period, Scope};
use signalbox_core::money::NanoUsd;
use signalbox_store::ConfigWrite;
use signalbox_testkit::{TestApp, postgres};

const CHAT: &str = "op:chat_message";
const NODES: usize = 4;
const REQUESTS: u64 = 40;
/// By when the other nodes have heard of a stop.
const HEARD_MAX: Duration = Duration::from_secs(1);

/// Four nodes, and a budget of forty requests for all of them; `None` without `PostgreSQL`.
async fn four_nodes() -> Option<Vec<TestApp>> {
    let url = postgres::empty_database()?;
    let limits = Limits { requests: Some(REQUESTS), ..Limits::default() };
    let budget = Budget { limits, ..Budget::usual("Forty", Scope::Global, Period::Total, NanoUsd::ZERO) };
    let mut nodes = Vec::new();
    for number in 0..NODES {
        let node = TestApp::builder().database_url(&url).start().await.unwrap();
        if number == 0 {
            let put = ConfigWrite::PutBudget { budget: budget.clone(), base_version: None };
            node.write(vec![put]).await.unwrap();
        }
        nodes.push(node);
    }
    Some(nodes)
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_requests_are_forty_whichever_of_four_nodes_they_come_to_and_also_after_some_have_ended() {
    let Some(mut nodes) = four_nodes().await else { return };
    let wave = nodes.iter().flat_map(|node| (0..20).map(move |_| node.chat(CHAT, "hello")));
    let replies = futures::future::try_join_all(wave).await.unwrap();
    let count = |status: u16| replies.iter().filter(|reply| reply.status == status).count();
    let mut answered = u64::try_from(count(200)).unwrap();
    println!("{answered} of {REQUESTS} at the first rush");
    assert_eq!(count(200) + count(402), replies.len(), "every other one is told which budget is used up");
    assert!(answered <= REQUESTS);

    let ended = nodes.split_off(2);
    for node in ended {
        node.stop().await;
    }
    for tries in 0.. {
        let reply = nodes[tries % 2].chat(CHAT, "hello").await.unwrap();
        answered += u64::from(reply.status == 200);
        if answered == REQUESTS {
            break;
        }
        assert!(tries < 500, "{answered} were answered, and no more");
    }
    for node in &nodes {
        let reply = node.chat(CHAT, "hello").await.unwrap();
        assert_eq!((reply.status, reply.code()), (402, "budget_exceeded"));
        let message = reply.body["error"]["message"].as_str().unwrap();
        assert!(message.contains("has 0 requests of 40 requests left"), "{message}");
    }
    assert_eq!(nodes[0].engine.control.store.nodes().await.unwrap().len(), 2, "who has ended has left");
    for node in &nodes {
        node.verify().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_of_one_node_stops_the_others_within_a_second_and_a_release_lets_all_run() {
    let Some(nodes) = four_nodes().await else { return };
    let app = App::with_engine(nodes[0].engine.clone()).unwrap();
    let admin = Caller::local(Source::Cli);
    let heard = async |is_stopped: bool| {
        let began = Instant::now();
        while nodes.iter().any(|node| node.engine.kill_switch.stop().is_some() != is_stopped) {
            assert!(began.elapsed() < HEARD_MAX);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        println!("heard after {:?}", began.elapsed());
    };
    let reason = Some("a loop spends".to_owned());
    kill_switch::engage(&app, &admin, dto::KillSwitchInput { reason }).await.unwrap();
    heard(true).await;
    for node in &nodes {
        let reply = node.chat(CHAT, "hello").await.unwrap();
        assert_eq!((reply.status, reply.code()), (503, "kill_switch"));
    }
    let typed = dto::KillSwitchReleaseInput { typed: "RESUME".to_owned(), reason: None };
    kill_switch::release(&app, &admin, typed).await.unwrap();
    heard(false).await;
    for node in &nodes {
        let reply = node.chat(CHAT, "hello").await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
}
