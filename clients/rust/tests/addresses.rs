//! Several addresses, of which some come and go.

mod support;

use sentiment_client::{CallOptions, Client, Code, Tier};
use support::scripted::{Script, Scripted};
use support::{client_of, millis};

async fn ask(client: &Client, times: usize) {
    for _ in 0..times {
        client.analyze("fine", Tier::Fast).await.expect("an answer");
    }
}

/// Until its connections stand.
async fn connected() {
    tokio::time::sleep(millis(300)).await;
}

#[tokio::test]
async fn calls_go_to_all_addresses_in_turn() {
    let servers = [Scripted::start(Script::default()).await, Scripted::start(Script::default()).await];
    let client = client_of(&format!("ipv4:{},{}", servers[0].address, servers[1].address)).await;
    connected().await;
    ask(&client, 40).await;
    assert_eq!(servers.map(|server| server.calls()), [20, 20]);
}

#[tokio::test]
async fn an_address_where_nobody_is_costs_no_call() {
    let server = Scripted::start(Script::default()).await;
    let client = client_of(&format!("ipv4:{},127.0.0.1:1", server.address)).await;
    ask(&client, 10).await;
    assert_eq!(server.calls(), 10);
}

#[tokio::test]
async fn a_name_with_several_addresses_finds_the_one_that_is_there() {
    let server = Scripted::start(Script::default()).await;
    let port = server.address.rsplit_once(':').expect("a port").1;
    let client = client_of(&format!("dns:///localhost:{port}")).await;
    ask(&client, 10).await;
    assert_eq!(server.calls(), 10);
}

#[tokio::test]
async fn the_others_take_the_calls_of_one_that_dies_and_it_gets_them_again_when_it_is_back() {
    let steady = Scripted::start(Script::default()).await;
    let fleeting = Scripted::start(Script::default()).await;
    let address = fleeting.address.clone();
    let client = client_of(&format!("ipv4:{},{address}", steady.address)).await;
    connected().await;
    ask(&client, 4).await;
    drop(fleeting);
    ask(&client, 20).await;
    let again = Scripted::start_at(address.parse().expect("an address"), Script::default()).await;
    // Longer than the first pauses between two tries to connect.
    tokio::time::sleep(millis(4000)).await;
    ask(&client, 20).await;
    assert_eq!(again.calls(), 10);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_of_and_found_when_it_comes() {
    let port = support::real_server::free_port();
    let address = format!("127.0.0.1:{port}");
    let client = client_of(&address).await;
    let options = CallOptions { deadline: Some(millis(200)), ..CallOptions::default() };
    let error = client.analyze("fine", options).await.expect_err("nobody is there");
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("refused"), "{error}");
    let _server = Scripted::start_at(address.parse().expect("an address"), Script::default()).await;
    ask(&client, 1).await;
}
