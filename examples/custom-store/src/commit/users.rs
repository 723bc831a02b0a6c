//! Statements about users and their roles.

use async_trait::async_trait;
use auth_core::domain::{
    Attributes, AuditEvent, Email, Epoch, PasswordHash, ProfileEdit, Role, Session, Status, Timestamp, Token,
    TotpSecret, User, UserId,
};
use auth_store::commit::{Hold, RoleStatements, UserStatements, Written};

use crate::read::everybodys_epoch;
use crate::record::{EverybodysEpoch, Holders, MailRow, RecoveryCodes, UserRow};
use crate::table::{EMAILS, SESSIONS_OF, TOKENS_OF, TOTP_SECRETS_OF};
use crate::transaction::{Failed, Snapshot as _, Tx};

impl Tx {
    pub(super) fn update_user(
        &self,
        id: UserId,
        condition: impl FnOnce(&UserRow) -> bool,
        set: impl FnOnce(&mut UserRow),
    ) -> Result<u64, Failed> {
        self.update(id.as_bytes(), condition, set)
    }

    /// What a user's own epoch is when theirs and everybody's come to that.
    fn own_epoch(&self, whole: Epoch) -> Result<Epoch, Failed> {
        Ok(Epoch::from_number(whole.number().wrapping_sub(everybodys_epoch(self)?)))
    }
}

fn advance(row: &mut UserRow, epochs: u32) {
    row.user.epoch = Epoch::from_number(row.user.epoch.number().wrapping_add(epochs));
}

#[async_trait]
impl UserStatements for Tx {
    async fn insert_user(&mut self, user: &User, password: Option<&PasswordHash>) -> Result<Written, Failed> {
        if self.key_by(EMAILS, user.email.canonical().as_bytes())?.is_some() {
            return Ok(Written::Taken);
        }
        let user = User { roles: Vec::new(), epoch: self.own_epoch(user.epoch)?, ..user.clone() };
        let row = UserRow { user, password: password.cloned() };
        self.insert(row.user.id.as_bytes(), &row).map(Written::Rows)
    }

    async fn edit_profile(&mut self, user: UserId, edit: &ProfileEdit) -> Result<u64, Failed> {
        let edited = |row: &mut UserRow| row.user.profile = std::mem::take(&mut row.user.profile).after(edit);
        self.update_user(user, |_| true, edited)
    }

    async fn verify_email(&mut self, user: UserId, email: &Email, at: Timestamp) -> Result<u64, Failed> {
        let verified = |row: &mut UserRow| _ = row.user.email_verified_at.get_or_insert(at);
        self.update_user(user, |row| row.user.email == *email, verified)
    }

    async fn change_email(&mut self, user: UserId, from: &Email, to: &Email, at: Timestamp) -> Result<Written, Failed> {
        // Somebody has the address: that counts only for a user who would move there.
        let is_free = match self.key_by(EMAILS, to.canonical().as_bytes())? {
            Some(owner) => owner == user.as_bytes(),
            None => true,
        };
        if !is_free && self.has_user(user, Some(from)).await? {
            return Ok(Written::Taken);
        }
        let moved = |row: &mut UserRow| {
            row.user.email = to.clone();
            row.user.email_verified_at = Some(at);
        };
        self.update_user(user, |row| row.user.email == *from, moved).map(Written::Rows)
    }

    async fn set_password(&mut self, user: UserId, epoch: Epoch, password: &PasswordHash) -> Result<u64, Failed> {
        let own = self.own_epoch(epoch)?;
        let set = |row: &mut UserRow| {
            row.password = Some(password.clone());
            advance(row, 1);
        };
        self.update_user(user, |row| row.user.epoch == own, set)
    }

    async fn rehash(&mut self, user: UserId, from: &PasswordHash, to: &PasswordHash) -> Result<u64, Failed> {
        let set = |row: &mut UserRow| row.password = Some(to.clone());
        self.update_user(user, |row| row.password.as_ref() == Some(from), set)
    }

    async fn set_attributes(&mut self, user: UserId, from: &Attributes, to: &Attributes) -> Result<u64, Failed> {
        self.update_user(user, |row| row.user.attributes == *from, |row| row.user.attributes = to.clone())
    }

    async fn set_status(&mut self, user: UserId, status: Status, epochs: u32) -> Result<u64, Failed> {
        let set = |row: &mut UserRow| {
            row.user.status = status;
            advance(row, epochs);
        };
        self.update_user(user, |row| row.user.status != status, set)
    }

    async fn delete_user(&mut self, user: UserId) -> Result<u64, Failed> {
        let ids = |index| -> Result<Vec<_>, Failed> {
            Ok(self.with_prefix(index, user.as_bytes())?.into_iter().map(|(_, id)| id).collect())
        };
        self.delete_all::<Session>(&ids(SESSIONS_OF)?)?;
        self.delete_all::<Token>(&ids(TOKENS_OF)?)?;
        self.delete_all::<TotpSecret>(&ids(TOTP_SECRETS_OF)?)?;
        self.delete::<RecoveryCodes>(user.as_bytes(), |_| true)?;
        let mails = self.all::<MailRow>()?.into_iter().filter(|(_, row)| row.mail.user == Some(user));
        self.delete_all::<MailRow>(&mails.map(|(id, _)| id).collect::<Vec<_>>())?;
        self.delete::<UserRow>(user.as_bytes(), |_| true)
    }

    async fn pseudonymise(&mut self, user: UserId) -> Result<u64, Failed> {
        let mut events = 0;
        for (id, event) in self.all::<AuditEvent>()? {
            if [event.actor, event.subject].contains(&Some(user)) {
                let event = AuditEvent { ip: None, user_agent: None, request_id: None, detail: [].into(), ..event };
                self.put(&id, &event)?;
                events += 1;
            }
        }
        Ok(events)
    }

    async fn advance_epoch(&mut self, user: UserId) -> Result<u64, Failed> {
        self.update_user(user, |_| true, |row| advance(row, 1))
    }

    async fn advance_all_epochs(&mut self) -> Result<u64, Failed> {
        self.put(&[], &EverybodysEpoch { number: everybodys_epoch(self)? + 1 })?;
        Ok(1)
    }

    async fn is_unverified(&mut self, user: UserId, email: &Email) -> Result<bool, Failed> {
        let row = self.find::<UserRow>(user.as_bytes())?;
        Ok(row.is_some_and(|row| row.user.email == *email && row.user.email_verified_at.is_none()))
    }

    async fn has_user(&mut self, user: UserId, address: Option<&Email>) -> Result<bool, Failed> {
        let row = self.find::<UserRow>(user.as_bytes())?;
        Ok(row.is_some_and(|row| address.is_none_or(|address| row.user.email == *address)))
    }
}

#[async_trait]
impl RoleStatements for Tx {
    async fn is_active_holder(&mut self, user: UserId, role: &Role) -> Result<bool, Failed> {
        let row = self.find::<UserRow>(user.as_bytes())?;
        Ok(row.is_some_and(|row| row.user.status == Status::Active && row.user.roles.contains(role)))
    }

    async fn insert_holder(&mut self, user: UserId, role: &Role) -> Result<Hold, Failed> {
        if !self.has_user(user, None).await? {
            return Ok(Hold::NoUser);
        }
        let hold = |row: &mut UserRow| {
            row.user.roles.push(role.clone());
            row.user.roles.sort_unstable();
        };
        let rows = self.update_user(user, |row| !row.user.roles.contains(role), hold)?;
        Ok(if rows == 1 { Hold::New } else { Hold::Unchanged })
    }

    async fn insert_role(&mut self, _: &Role) -> Result<(), Failed> {
        // A role is a name in its holders' rows, and needs no row of its own.
        Ok(())
    }

    async fn delete_holder(&mut self, user: UserId, role: &Role) -> Result<u64, Failed> {
        let holds = |row: &UserRow| row.user.roles.contains(role);
        self.update_user(user, holds, |row| row.user.roles.retain(|held| held != role))
    }

    async fn counted_roles(&mut self, user: UserId) -> Result<Vec<String>, Failed> {
        let active = self.find::<UserRow>(user.as_bytes())?.filter(|row| row.user.status == Status::Active);
        let mut counted = Vec::new();
        for role in active.into_iter().flat_map(|row| row.user.roles) {
            if self.find::<Holders>(role.as_str().as_bytes())?.is_some() {
                counted.push(role.as_str().to_owned());
            }
        }
        Ok(counted)
    }

    async fn count_holder_in(&mut self, role: &str) -> Result<u64, Failed> {
        self.update::<Holders>(role.as_bytes(), |_| true, |holders| holders.number += 1)
    }

    async fn count_holder_out(&mut self, role: &str) -> Result<u64, Failed> {
        self.update::<Holders>(role.as_bytes(), |holders| holders.number > 1, |holders| holders.number -= 1)
    }

    async fn advance_roles_version(&mut self, user: UserId) -> Result<u64, Failed> {
        self.update_user(user, |_| true, |row| row.user.roles_version += 1)
    }
}
