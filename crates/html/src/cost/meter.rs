//! The real tree builder over a tree that is not kept: what it does is counted, so that it is known before a tree is made.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{
    ElementFlags, NodeOrText, QuirksMode, TreeBuilder, TreeBuilderOpts, TreeSink, create_element,
};
use html5ever::{Attribute, ExpandedName, QualName, local_name, ns};

use super::feed::Reader;
use super::{Cost, Limits};

/// Elements that end by themselves, so that many of them are no depth.
const SELF_CLOSING: &[&str] = &[
    "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "rt", "rp", "br", "hr", "img",
    "input", "area", "base", "col", "embed", "link", "meta", "param", "source", "track", "wbr",
];

/// Those that are opened again in the next block when they were not closed (WHATWG HTML 13.2.4.3).
const FORMATTING: &[&str] =
    &["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// The document and the element around a fragment.
const AROUND: usize = 2;

/// Bytes of the brackets and the slash of an element.
const BRACKETS: usize = 5;

/// Bytes of what is added to a link.
const REL: usize = " rel=\"nofollow noopener ugc\"".len();

/// The tree builder, until a limit is reached.
pub(super) struct Meter {
    tree: TreeBuilder<Rc<Node>, Counts>,
    limits: Limits,
}

impl Meter {
    /// A meter for a fragment, as ammonia reads it.
    pub(super) fn new(limits: Limits) -> Self {
        let counts = Counts::default();
        let around = create_element(&counts, QualName::new(None, ns!(html), local_name!("div")), Vec::new());
        Self { tree: TreeBuilder::new_for_fragment(counts, around, None, TreeBuilderOpts::default()), limits }
    }

    pub(super) fn cost(&self) -> Cost {
        self.tree.sink.0.cost.get()
    }

    /// The tree builder compares a formatting element with each that is open, attribute by attribute.
    fn charge(&self, tag: &Tag) {
        if tag.kind == TagKind::StartTag && FORMATTING.contains(&&*tag.name) {
            let open = self.tree.sink.0.formatting.get();
            let attributes = self.tree.sink.0.attributes.get() + tag.attrs.len() * open;
            self.tree.sink.step(open + 8 * attributes);
        }
    }
}

impl Reader for Meter {
    fn is_over(&self) -> bool {
        self.limits.are_exceeded(&self.cost())
    }
}

impl TokenSink for Meter {
    type Handle = Rc<Node>;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Rc<Node>> {
        if let Token::TagToken(tag) = &token {
            self.charge(tag);
        }
        self.tree.process_token(token, line)
    }

    fn end(&self) {
        self.tree.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.tree.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// An element for as long as the tree builder holds it: while it is open, or would be opened again.
pub(super) struct Node {
    name: QualName,
    is_integration_point: bool,
    is_deep: bool,
    is_formatting: bool,
    attributes: usize,
    counted: Rc<Counted>,
}

impl Drop for Node {
    fn drop(&mut self) {
        let less = |cell: &Cell<usize>, by: usize| cell.set(cell.get().saturating_sub(by));
        less(&self.counted.open, 1);
        less(&self.counted.deep, usize::from(self.is_deep));
        if self.is_formatting {
            less(&self.counted.formatting, 1);
            less(&self.counted.attributes, self.attributes);
        }
    }
}

#[derive(Default)]
struct Counted {
    cost: Cell<Cost>,
    open: Cell<usize>,
    deep: Cell<usize>,
    formatting: Cell<usize>,
    attributes: Cell<usize>,
}

/// The tree that is not kept.
#[derive(Default)]
pub(super) struct Counts(Rc<Counted>);

impl Counts {
    fn change(&self, change: impl FnOnce(&mut Cost)) {
        let mut cost = self.0.cost.get();
        change(&mut cost);
        self.0.cost.set(cost);
    }

    fn step(&self, steps: usize) {
        self.change(|cost| cost.steps += steps);
    }

    /// What is looked for among the children of a node, which may be all nodes.
    fn search(&self) {
        self.change(|cost| cost.steps += 1 + cost.nodes / 8);
    }

    fn node(&self, name: QualName, attrs: &[Attribute], is_integration_point: bool) -> Rc<Node> {
        let counted = &self.0;
        let is_html = name.ns == ns!(html);
        let is_deep = !(is_html && SELF_CLOSING.contains(&&*name.local));
        let is_formatting = is_html && FORMATTING.contains(&&*name.local);
        let more = |cell: &Cell<usize>, by: usize| cell.set(cell.get() + by);
        more(&counted.open, 1);
        more(&counted.deep, usize::from(is_deep));
        if is_formatting {
            more(&counted.formatting, 1);
            more(&counted.attributes, attrs.len());
        }
        let attributes: usize = attrs.iter().map(|attr| attr.name.local.len() + attr.value.len() + 4).sum();
        let rel = if &*name.local == "a" { REL } else { 0 };
        self.change(|cost| {
            cost.nodes += 1;
            cost.steps += 4 + attrs.len() + attributes / 64;
            cost.written += BRACKETS + 2 * name.local.len() + attributes + rel;
            cost.open = cost.open.max(counted.open.get().saturating_sub(AROUND));
            cost.deep = cost.deep.max(counted.deep.get().saturating_sub(AROUND));
        });
        let counted = Rc::clone(counted);
        Rc::new(Node { name, is_integration_point, is_deep, is_formatting, attributes: attrs.len(), counted })
    }

    fn child(&self, child: &NodeOrText<Rc<Node>>) {
        if let NodeOrText::AppendText(text) = child {
            self.change(|cost| {
                cost.nodes += 1;
                cost.steps += 1;
                cost.written += text.len();
            });
        }
    }
}

impl TreeSink for Counts {
    type Handle = Rc<Node>;
    type Output = Self;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Rc<Node> {
        self.node(QualName::new(None, ns!(), local_name!("")), &[], false)
    }

    fn elem_name<'a>(&'a self, target: &'a Rc<Node>) -> ExpandedName<'a> {
        self.step(1);
        target.name.expanded()
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, flags: ElementFlags) -> Rc<Node> {
        self.node(name, &attrs, flags.mathml_annotation_xml_integration_point)
    }

    fn create_comment(&self, _: StrTendril) -> Rc<Node> {
        self.node(QualName::new(None, ns!(), local_name!("")), &[], false)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Rc<Node> {
        self.node(QualName::new(None, ns!(), local_name!("")), &[], false)
    }

    fn append(&self, _: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        self.child(&child);
    }

    fn append_based_on_parent_node(&self, _: &Rc<Node>, _: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        self.child(&child);
        self.search();
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Rc<Node>) -> Rc<Node> {
        Rc::clone(target)
    }

    fn same_node(&self, one: &Rc<Node>, other: &Rc<Node>) -> bool {
        self.step(1);
        Rc::ptr_eq(one, other)
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, _: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        self.child(&child);
        self.search();
    }

    fn add_attrs_if_missing(&self, _: &Rc<Node>, attrs: Vec<Attribute>) {
        self.step(attrs.len());
    }

    fn remove_from_parent(&self, _: &Rc<Node>) {
        self.search();
    }

    fn reparent_children(&self, _: &Rc<Node>, _: &Rc<Node>) {
        self.search();
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Rc<Node>) -> bool {
        target.is_integration_point
    }
}
