//! Walks over the nodes of an expression.

use super::Node;
use crate::value::Value;
use std::collections::BTreeSet;

impl Node {
    /// The columns that the value depends on.
    #[must_use]
    pub fn columns(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        self.visit(&mut |node| {
            if let Self::Column(at) = node {
                found.insert(*at);
            }
        });
        found
    }

    /// How many nodes there are.
    #[must_use]
    pub fn size(&self) -> usize {
        let mut size = 0;
        self.visit(&mut |_| size += 1);
        size
    }

    /// Whether it is taken over a group of rows.
    #[must_use]
    pub fn has_aggregate(&self) -> bool {
        let mut found = false;
        self.visit(&mut |node| found |= matches!(node, Self::Aggregate(..)));
        found
    }

    /// Whether it is the same for every row.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        let mut constant = true;
        self.visit(&mut |node| constant &= !matches!(node, Self::Aggregate(..) | Self::Column(_)));
        constant
    }

    /// A column that is neither one of `keys` nor inside of an aggregate.
    #[must_use]
    pub fn ungrouped(&self, keys: &[Self]) -> Option<usize> {
        if keys.contains(self) {
            return None;
        }
        if let Self::Column(at) = self {
            return Some(*at);
        }
        if let Self::Aggregate(..) = self {
            return None;
        }
        self.parts().into_iter().find_map(|p| p.ungrouped(keys))
    }

    /// The conditions that must all hold for this one to hold.
    #[must_use]
    pub fn conjuncts(self) -> Vec<Self> {
        if let Self::All(parts) = self {
            return parts.into_iter().flat_map(Self::conjuncts).collect();
        }
        vec![self]
    }

    /// The same over other columns.
    #[must_use]
    pub fn moved(&self, to: &dyn Fn(usize) -> usize) -> Self {
        let mut moved = self.clone();
        moved.change(&mut |node| {
            if let Self::Column(at) = node {
                *at = to(*at);
            }
        });
        moved
    }

    /// The same with known values instead of some columns.
    #[must_use]
    pub fn with(&self, known: &dyn Fn(usize) -> Option<Value>) -> Self {
        let mut bound = self.clone();
        bound.change(&mut |node| {
            if let Self::Column(at) = node
                && let Some(value) = known(*at)
            {
                *node = Self::Constant(value);
            }
        });
        bound
    }

    /// The same with a list of values instead of a column that IN has as its only item.
    #[must_use]
    pub fn with_list(&self, at: usize, values: &[Value]) -> Self {
        let mut bound = self.clone();
        bound.change(&mut |node| {
            if let Self::In(_, list) = node
                && let [(mode, Self::Column(column))] = list.as_slice()
                && *column == at
            {
                let mode = *mode;
                *list = values.iter().map(|value| (mode, Self::Constant(value.clone()))).collect();
            }
        });
        bound
    }

    fn visit(&self, see: &mut dyn FnMut(&Self)) {
        see(self);
        for part in self.parts() {
            part.visit(see);
        }
    }

    fn change(&mut self, by: &mut dyn FnMut(&mut Self)) {
        by(self);
        for part in self.parts_mut() {
            part.change(by);
        }
    }

    pub(super) fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Column(_) | Self::Constant(_) => Vec::new(),
            Self::Compare(_, _, both)
            | Self::Like(_, _, both)
            | Self::Xor(both)
            | Self::NullIf(_, both)
            | Self::Operator(_, _, both) => vec![&both.0, &both.1],
            Self::Between(_, all) => vec![&all.0, &all.1, &all.2],
            Self::In(value, list) => std::iter::once(&**value).chain(list.iter().map(|(_, n)| n)).collect(),
            Self::IsNull(a)
            | Self::Is(_, a)
            | Self::Not(a)
            | Self::Negated(_, a)
            | Self::Cast(_, a)
            | Self::Integer(a) => {
                vec![a]
            }
            Self::All(list) | Self::Any(list) | Self::Coalesce(list) | Self::Call(_, list) => {
                list.iter().collect()
            }
            Self::Case(branches, otherwise) => {
                let branches = branches.iter().flat_map(|(a, b)| [a, b]);
                branches.chain(std::iter::once(&**otherwise)).collect()
            }
            Self::Switch(value, branches, otherwise) => {
                let branches = branches.iter().flat_map(|(_, a, b)| [a, b]);
                [&**value, &**otherwise].into_iter().chain(branches).collect()
            }
            Self::Aggregate(_, _, of) => of.iter().map(Box::as_ref).collect(),
        }
    }

    fn parts_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Column(_) | Self::Constant(_) => Vec::new(),
            Self::Compare(_, _, both)
            | Self::Like(_, _, both)
            | Self::Xor(both)
            | Self::NullIf(_, both)
            | Self::Operator(_, _, both) => vec![&mut both.0, &mut both.1],
            Self::Between(_, all) => vec![&mut all.0, &mut all.1, &mut all.2],
            Self::In(value, list) => {
                std::iter::once(&mut **value).chain(list.iter_mut().map(|(_, n)| n)).collect()
            }
            Self::IsNull(a)
            | Self::Is(_, a)
            | Self::Not(a)
            | Self::Negated(_, a)
            | Self::Cast(_, a)
            | Self::Integer(a) => {
                vec![a]
            }
            Self::All(list) | Self::Any(list) | Self::Coalesce(list) | Self::Call(_, list) => {
                list.iter_mut().collect()
            }
            Self::Case(branches, otherwise) => {
                let branches = branches.iter_mut().flat_map(|(a, b)| [a, b]);
                branches.chain(std::iter::once(&mut **otherwise)).collect()
            }
            Self::Switch(value, branches, otherwise) => {
                let branches = branches.iter_mut().flat_map(|(_, a, b)| [a, b]);
                [&mut **value, &mut **otherwise].into_iter().chain(branches).collect()
            }
            Self::Aggregate(_, _, of) => of.iter_mut().map(Box::as_mut).collect(),
        }
    }
}
