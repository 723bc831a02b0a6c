//! Every flow, cut short at every place: all of it has happened, or nothing.

use std::time::Duration;

use auth_core::flow::authenticate::{Presented, authenticate};
use auth_core::port::Change;

use super::World;
use super::case::{Case, Flow};
use super::world::{OTHER, PASSWORD, Tokens};
use crate::Fault;
use crate::fault::abandon;

/// DF1, AU4: for every flow and every k, the k-th change fails: nothing has changed, and no mail leaves.
pub async fn df1_every_change_of_every_flow(world: World) {
    sweep(&world, Fault::Change).await;
}

/// DF1: for every flow and every k, the k-th call doesn't reach the store: nothing has changed, and no mail leaves.
pub async fn df1_every_call_of_every_flow(world: World) {
    sweep(&world, Fault::Call).await;
}

async fn sweep(world: &World, fault: impl Fn(usize) -> Fault) {
    for flow in Flow::ALL {
        for k in 0.. {
            let case = Case::prepare_for(world, flow).await;
            let before = case.before(world).await;
            world.store.arm(fault(k));
            let outcome = case.run(world, flow).await;
            world.store.disarm();
            let place = format!("{:?}", fault(k));
            if !world.store.has_fired() {
                outcome.unwrap_or_else(|error| panic!("{flow:?} without a fault: {error}"));
                case.expect_all(world, flow, &before, &place).await;
                assert!(k > 0, "{flow:?} has no place to fail at");
                break;
            }
            let error = outcome.expect_err("a fault is no success");
            assert!(error.contains("faulty"), "{flow:?}, {place}: the fault is told as {error}");
            case.expect_nothing(world, flow, &before, &place).await;
        }
    }
}

/// DF1: a commit is applied and the connection breaks before the answer: the caller hears of a fault, and everything has
/// happened, its mail included.
pub async fn df1_lost_answers(world: World) {
    for flow in Flow::ALL.into_iter().filter(|flow| flow.is_one_commit()) {
        let case = Case::prepare_for(&world, flow).await;
        let before = case.before(&world).await;
        world.store.arm(Fault::Answer(0));
        let outcome = case.run(&world, flow).await;
        world.store.disarm();
        assert!(outcome.expect_err("a lost answer is no success").contains("faulty"), "{flow:?}");
        case.expect_all(&world, flow, &before, "answer lost").await;
    }
}

/// DF7: a caller that goes away at any await point leaves all or nothing.
pub async fn df7_dropped_at_every_await(world: World) {
    for flow in Flow::ALL.into_iter().filter(|flow| flow.is_one_commit()) {
        for polls in 1.. {
            assert!(polls < 500, "{flow:?} doesn't end");
            let case = Case::prepare_for(&world, flow).await;
            let before = case.before(&world).await;
            let outcome = abandon(polls, case.run(&world, flow)).await;
            settle(&world, &case).await;
            let place = format!("dropped after {polls} polls");
            if let Some(outcome) = outcome {
                outcome.unwrap_or_else(|error| panic!("{flow:?} undisturbed: {error}"));
                case.expect_all(&world, flow, &before, &place).await;
                break;
            }
            let has_happened = case.picture(&world).await != before.0 || case.newcomer_exists(&world).await;
            if has_happened {
                case.expect_all(&world, flow, &before, &place).await;
            } else {
                case.expect_nothing(&world, flow, &before, &place).await;
            }
        }
    }
}

/// Waits for a commit that goes on without its caller: a later commit of the same user queues up behind it.
async fn settle(world: &World, case: &Case) {
    tokio::time::sleep(Duration::from_millis(20)).await;
    let nothing =
        Change::TrimTokens { user: case.user.id, purpose: auth_core::domain::Purpose::ResetPassword, keep: 99 };
    world.handles[0].commit(&[nothing]).await.expect("a commit");
}

/// DF6: a clock set back revives nothing: no spent link, no ended session, no used-up attempt.
pub async fn df6_clock_set_back(world: World) {
    let case = Case::prepare(&world).await;
    let access = case.session.credential.access();
    for flow in [Flow::VerifyByLink, Flow::Refresh, Flow::ResetByLink] {
        case.run(&world, flow).await.expect("done once");
    }
    authenticate(world.auth(), Presented::AccessToken(access)).await.expect_err("dead since the reset");

    world.clock.set_back(Duration::from_secs(300));
    for flow in [Flow::VerifyByLink, Flow::VerifyByCode, Flow::Refresh, Flow::ResetByLink, Flow::ResetByCode] {
        case.run(&world, flow).await.expect_err("done twice");
    }
    authenticate(world.auth(), Presented::AccessToken(access)).await.expect_err("alive again");
    world.try_sign_in(&case.user.email, PASSWORD, None).await.expect_err("the old password");
    world.try_sign_in(&case.user.email, OTHER, None).await.expect("the new password");
}
