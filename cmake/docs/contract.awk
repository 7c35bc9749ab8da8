# Doxygen's filter of the headers: members that a contract of the library prescribes, and names for types, mean the
# same wherever they stand, so their sentence is here, once, and not at every one of them. A member that says more of
# itself keeps its own words. No line is added: warnings have the lines of the header.
BEGIN {
  # types
  say("^using Scalar = ", "The number it computes with.")
  say("^using Vector = ", "The type of θ, or of a vector of its size.")
  say("^using Theta = ", "The type of θ.")
  say("^using Matrix = ", "N × N, or as many columns as there are vectors.")
  say("^using Block = ", "Vectors of N numbers, one in a column.")
  say("^using (Sampler|State|Source) = ", "What one run keeps of the policy.")
  say("^using (Minibatch|Update|Noise|Correction|Model|Regularizer) = ", "The policy of this kind that it is made of.")
  say("^(class|struct) Sampler( |$)", "What one run keeps of the policy: draws batch after batch.")
  say("^(class|struct) State( |$)", "What one run keeps of the update.")
  say("^(class|struct) Source( |$)", "What one run keeps of the noise.")
  say("^(class|struct) Workspace( |$)", "Scratch memory of one thread, so that a step allocates nothing.")
  # every policy
  say("^(void|bool) check\\(", "Throws `std::invalid_argument`, in the name of `function`, for settings that do not fit.")
  say("^std::string description\\(\\) const", "Itself in words, for errors, tables and checkpoints.")
  say("^void serialize\\(", "For checkpoints, and for ranks.")
  # minibatches
  say("^static constexpr bool independent = ", "All batches are independent of each other.")
  say("^(explicit )?Sampler\\(", "The state of a run on so many samples.")
  say("^Batch next\\(", "The next batch, valid until the one after it.")
  say("^(static )?(constexpr )?WeightMoments weight_moments\\(", "⟨w_i²⟩ − ⟨w_iw_j⟩ of the weights of samples.")
  say("^SampleMoments sample_moments\\(", "The moments of weights that differ between samples.")
  say("^HigherWeightMoments higher_weight_moments\\(", "Third and fourth moments of the weights of samples.")
  say("^double mean_exponential\\(", "⟨exp(Σ_i w_ia_i)⟩ − 1 over the weights of a batch.")
  say("^Index batches_per_epoch\\(", "Updates in a Markov step.")
  say("^EpochCorrelation epoch_correlation\\(", "How the batches of an epoch depend on each other.")
  say("^OrderMoments order_moments\\(|^EpochMoments order_moments\\(", "The sums over orders that Appendix B has.")
  # updates
  say("^State\\(", "The state of a run, at rest.")
  say("^void move\\(", "One update of θ against a gradient.")
  say("^(constexpr )?(LinearUpdate|const LinearUpdate&) linear\\(\\) const", "The update as a linear one, for theory.")
  say("^(constexpr )?.*adaptive\\(\\) const", "The update as an adaptive one, for theory.")
  say("^static constexpr bool remembers_nothing = ", "A step depends on θ alone.")
  say("^static constexpr std::string_view name = ", "In words.")
  say("^static constexpr std::array.* before", "What a step does before its gradient.")
  say("^static constexpr std::array.* after", "And after it.")
  # noises and corrections
  say("^static constexpr bool silent = ", "It does nothing.")
  say("^static constexpr Injection injection", "What it injects, and when.")
  say("^Source\\(", "The state of a run.")
  say("^const Vector& evaluation_point\\(", "Where the gradient is taken in place of θ.")
  say("^static constexpr .*parts = ", "What of the landscape it cancels.")
  # models
  say("^(static )?(constexpr )?(Eigen::)?Index parameters\\(\\)", "N, the number of parameters.")
  say("^(Eigen::)?Index samples\\(\\) const", "M, the number of samples.")
  say("^(auto|Scalar) sample_loss\\(", "ℓ_i(θ)")
  say("^(auto|Scalar) loss\\(", "L = (1/M) Σ ℓ_i")
  say("^(auto|Scalar) summed_loss\\(", "Σ ℓ_i of a range of samples.")
  say("^void batch_gradient\\(", "batch.weight() · Σ_{i∈B} ∇ℓ_i")
  say("^void sample_gradients\\(", "Column j: ∇ℓ_{first+j}(θ)")
  say("^void sample_hessians\\(", "Column j: ∂∂ℓ_{first+j}(θ), N² numbers.")
  say("^void sample_hessian_products\\(", "Column j: ∂∂ℓ_{first+j}(θ) · directions_j")
  say("^void batch_hessian_products\\(", "batch.weight() · Σ_{i∈B} ∂∂ℓ_i · directions")
  say("^void hessian_product\\(", "H_L · direction")
  say("^void hessian\\(", "H_L = (1/M) Σ ∂∂ℓ_i")
  say("^(auto|Scalar) value\\(", "Its value at this point.")
  say("^(void|Scalar) (slope)\\(|^Scalar slope\\(", "The first derivative at z, where the value is a.")
  say("^Scalar curvature\\(", "The second derivative at z, where the value is a.")
  say("^void curvature\\(", "The second derivatives by the outputs, times a tangent.")
  say("^void add_gradient\\(", "gradient += ∇R(θ)")
  say("^void add_hessian_product\\(", "product += ∂∂R(θ) · direction")
  say("^typename V(ector)?::Scalar value\\(", "R(θ)")
  say("^(auto|typename Vector::Scalar|Scalar) sample_loss\\(|^typename V(ector)?::Scalar (sample_)?loss\\(", "The loss, of one sample or the mean.")
  say("^const (M|Model)& model\\(\\) const", "The model that it is made of.")
  say("^using Workspace = ", "Scratch memory of one thread, so that a step allocates nothing.")
  say("^using (Data|Map|States|Frequencies|System) = ", "The type of what its name says.")
  say("^friend (constexpr )?(Dual|auto|bool) ", "As of a number, with derivatives by the rules of calculus.")
  say("^detail::dual_of_t<", "As of numbers, with derivatives by the rules of calculus.")
  say("^constexpr (Dual& operator|operator double)", "As of a number, with derivatives by the rules of calculus.")
  # what holds several things
  say("^(constexpr )?std::size_t size\\(\\) const", "How many there are.")
  say("^(constexpr )?bool empty\\(\\) const", "Are there none?")
  say("^(constexpr )?const .*\\* data\\(\\) const", "The first of them.")
  say("^(constexpr )?.* operator\\[\\]\\(", "Number k of them, from 0.")
  say("^(constexpr )?auto (begin|end)\\(\\) const", "For loops over all of them.")
  say("^const Axis& (first_|second_)?axis\\(\\) const", "Its bins, of the first or the second number.")
  # systems
  say("^(auto|Scalar|double) potential\\(", "V(θ)")
  say("^void gradient\\(", "∇V(θ)")
  say("^void drift\\(", "The drift of Eq. 1.")
  say("^(auto|void|const Matrix&|Matrix) diffusion\\(", "D(θ), N × N.")
  say("^(auto|const Matrix&|Matrix) mobility\\(", "μ, N × N.")
  say("^(auto|double|Scalar) beta\\(\\) const", "β of μ = βD.")
  say("^void noise\\(", "√(2D) times normal numbers.")
  # chains
  say("^const .*& theta\\(\\) const", "θ as it is now.")
  say("^void step\\(\\)", "One Markov step.")
  say("^(Eigen::)?Index updates_per_markov_step\\(\\) const", "Updates in a Markov step.")
  say("^(double|Scalar) time_step\\(\\) const", "Time in a step.")
  # estimators
  say("^void add\\(const TrajectoryBlock", "The next stretch of the trajectory.")
  say("^void merge\\(const ", "What another chain has seen, as if it came after this.")
  say("^void begin_chain\\(", "Which chain it will see.")
  say("^void finish\\(\\)", "The chain has ended.")
  # settings
  say("^std::uint64_t seed = ", "Of its random numbers.")
  say("^(int|Eigen::Index|Index|std::int64_t) (max_iterations|max_products) = ", "Gives up after so many.")
}

function say(pattern, sentence) {
  patterns[++count] = pattern
  sentences[count] = sentence
}

function sentence_of(declaration,   k) {
  for (k = 1; k <= count; ++k)
    if (declaration ~ patterns[k]) return sentences[k]
  return ""
}

function join_points(line) {
  gsub(/Eq\. /, "Eq.\\ ", line)
  gsub(/Eqs\. /, "Eqs.\\ ", line)
  gsub(/App\. /, "App.\\ ", line)
  gsub(/Sec\. /, "Sec.\\ ", line)
  gsub(/Fig\. /, "Fig.\\ ", line)
  return line
}

function flush(sentence,   k) {
  for (k = 1; k <= held; ++k) print (k == 1 && sentence != "" ? "/** " sentence " */ " : "") lines[k]
  held = 0
}

/\/\/\// {  # a brief description does not end at the point of "Eq. 8"
  $0 = join_points($0)
}

{
  code = $0
  sub(/^ +/, "", code)
  opens = code ~ /^(template|requires)[ <(]/ || (held > 0 && code ~ /^(&&|\|\|) /)
  lines[++held] = $0
  if (opens) next  # the declaration that it belongs to follows
  sentence = documented || code ~ /\/\/\/</ ? "" : sentence_of(code)
  documented = code ~ /^\/\/\// || code ~ /^\/\*\*/
  flush(sentence)
}

END { flush("") }
