//! Calls of functions, and CASE.

use super::Compiler;
use crate::error::{Error, refused};
use crate::function;
use crate::function::{aggregate, aggregated, branch, modes, unified};
use crate::node::{Aggregate, Node};
use crate::typed::Typed;
use crate::types::{ExprType, Type};
use sqlparser::ast::{CaseWhen, DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArguments};

impl Compiler<'_> {
    pub(super) fn case(
        &self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        expression: &Expr,
        depth: usize,
    ) -> Result<Typed, Error> {
        let operand = operand.map(|o| self.at(o, depth)).transpose()?;
        let (mut whens, mut thens) = (Vec::new(), Vec::new());
        for CaseWhen { condition, result } in conditions {
            whens.push(if operand.is_some() {
                self.at(condition, depth)?
            } else {
                self.truth(condition, depth)?
            });
            thens.push(self.at(result, depth)?);
        }
        let otherwise = otherwise.map_or_else(|| Ok(Typed::null()), |e| self.at(e, depth))?;
        let types: Vec<&Type> = thens.iter().map(|t| &t.ty).chain([&otherwise.ty]).collect();
        let nullable = types.iter().any(|t| t.nullable);
        let kind = unified(&types, &self.settings).ok_or_else(|| refused(expression))?;
        let ty = Type::new(kind, nullable);
        let otherwise = Box::new(branch(otherwise, &kind));
        let thens = thens.into_iter().map(|t| branch(t, &kind));
        let Some(operand) = operand else {
            let branches = whens.into_iter().map(|w| w.node).zip(thens).collect();
            return Ok(Typed { node: Node::Case(branches, otherwise), ty });
        };
        let labels: Vec<&Type> = whens.iter().map(|w| &w.ty).collect();
        let modes = modes(&operand.ty, &labels, &self.settings).ok_or_else(|| refused(expression))?;
        let branches =
            modes.into_iter().zip(whens).zip(thens).map(|((mode, when), then)| (mode, when.node, then));
        Ok(Typed { node: Node::Switch(Box::new(operand.node), branches.collect(), otherwise), ty })
    }

    pub(super) fn call(
        &self,
        call: &sqlparser::ast::Function,
        expression: &Expr,
        depth: usize,
    ) -> Result<Typed, Error> {
        let refused = || refused(expression);
        if call.over.is_some() || call.filter.is_some() || call.null_treatment.is_some() {
            return Err(refused());
        }
        let name = call.name.to_string().to_uppercase();
        let (mut arguments, mut distinct) = (Vec::new(), false);
        match &call.args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(_) => return Err(refused()),
            FunctionArguments::List(list) => {
                if !list.clauses.is_empty() {
                    return Err(refused());
                }
                distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
                if let ("COUNT", [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)], true) =
                    (name.as_str(), list.args.as_slice(), self.scope.has_rows())
                {
                    let node = Node::Aggregate(Aggregate::Rows, "binary", None);
                    return Ok(Typed {
                        node,
                        ty: Type::new(ExprType::Int { width: 21, unsigned: false }, false),
                    });
                }
                for argument in &list.args {
                    let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument else {
                        return Err(refused());
                    };
                    arguments.push(self.at(argument, depth)?);
                }
            }
        }
        if self.scope.has_rows()
            && let Some(aggregate) = aggregate(&name, distinct)
        {
            let [of] = <[Typed; 1]>::try_from(arguments).map_err(|_| refused())?;
            return aggregated(aggregate, of).ok_or_else(refused);
        }
        if distinct {
            return Err(refused());
        }
        match self.scope.function(&name, &arguments) {
            Some(found) => found,
            None => function::function(&name, &arguments, &self.settings).ok_or_else(refused),
        }
    }
}
