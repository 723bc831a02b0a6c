//! Who asks: found out once a request, however many guards want to know.

use std::sync::Arc;

use auth_core::domain::Signed;

use crate::auth_http::AuthHttp;
use crate::guard::Demand;
use crate::problem::{Problem, ProblemCode};

/// What is known of whoever asks: for adapters to keep with the request, where nothing else can put a user into it.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Signed in.
    Signed(Arc<Signed>),
    /// Not signed in, and doesn't mean to be.
    Guest,
    /// Has a credential that is dead, and ought to notice.
    Dead,
}

impl Caller {
    /// What [`AuthHttp::identify_optional`] or [`AuthHttp::recognise`] found out.
    ///
    /// # Errors
    /// What is no answer: another site's request, and a store that couldn't say. The next who wants to know asks again.
    pub fn found(found: Result<Option<Arc<Signed>>, Problem>) -> Result<Self, Problem> {
        match found {
            Ok(Some(signed)) => Ok(Self::Signed(signed)),
            Ok(None) => Ok(Self::Guest),
            Err(problem) if problem.code() == ProblemCode::Unauthorized => Ok(Self::Dead),
            Err(problem) => Err(problem),
        }
    }

    /// Whoever is signed in.
    pub const fn signed(&self) -> Option<&Arc<Signed>> {
        match self {
            Self::Signed(signed) => Some(signed),
            Self::Guest | Self::Dead => None,
        }
    }

    /// Lets whoever meets `demand` through, and says who it is.
    ///
    /// # Errors
    /// As [`AuthHttp::admit_to`].
    pub async fn admit(&self, http: &AuthHttp, demand: &Demand) -> Result<Option<Arc<Signed>>, Problem> {
        http.admit_to(demand, self.signed()).await
    }

    /// Lets guests through, but not whoever ought to notice that their credential is dead.
    ///
    /// # Errors
    /// 401 for a dead credential.
    pub fn optional(&self) -> Result<Option<Arc<Signed>>, Problem> {
        if let Self::Dead = self { Err(Problem::unauthorized()) } else { Ok(self.signed().cloned()) }
    }
}
