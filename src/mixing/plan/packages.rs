//! Which packages an agent makes, and which it should.

use portico_mixer_protocol::{Encoding, ToAgent};

use super::{Plan, Step};
use crate::mixing::broadcasts::Package;

impl Plan {
    /// What leads from the packages that there are to those that should be. Comes after
    /// [`Self::reconcile`], which makes their views.
    pub(in crate::mixing) fn package<'p>(
        &mut self,
        packages: impl Iterator<Item = &'p Package> + Clone,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        self.packages.retain(|output| {
            let stays = packages.clone().any(|package| package.output == *output);
            if !stays {
                steps.push(Step::Tell(ToAgent::CloseOutput { output: *output }));
            }
            stays
        });
        for Package { output, view, packaging } in packages {
            if let Some(view) = self.view_number(view)
                && self.packages.insert(*output)
            {
                let encoding = Encoding::Package(*packaging);
                steps.push(Step::Tell(ToAgent::OpenOutput { output: *output, view, encoding }));
            }
        }
        steps
    }
}
